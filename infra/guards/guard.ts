import { connect, type ConnectedHost } from "../../cluster/client.ts";
import { type LiveState, type LiveTenant, liveTenant, readLiveState } from "../../cluster/live-state.ts";
import { type RunningVersions, runningVersions } from "../../cluster/running-versions.ts";
import type { Stage } from "../../components/plan/lifecycle.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { refuse, type Warning } from "../../errors/problem.ts";
import { declaredVersions } from "../checks/support.ts";
import { type EditableHost, type HandEdits, readHandEdits } from "../drift/hand-edits.ts";
import { kubeconfigWarnings, renewalOf } from "../kubeconfig-renewal.ts";
import type { Model } from "../model.ts";
import { lossProblems } from "./losses.ts";
import { moveProblems, moveWarnings } from "./moves.ts";
import { type BackedUp, readsCatalogue, rebuildProblems } from "./rebuild.ts";
import { type Staged, stagesOf } from "./stages.ts";
import { skewProblems } from "./version-changes.ts";

/** Where the program reads the live cluster and the bucket before it declares anything. */
export interface LiveSources {
  cluster(model: Model): Promise<{
    readonly live: LiveState;
    readonly running: RunningVersions;
    /** Undefined where the kubeconfig has no client certificate. */
    readonly certificateEnd: Date | undefined;
  }>;
  backedUp(model: Model): Promise<BackedUp>;
  /** What somebody wrote by hand, and how it is put back; undefined where there is no cluster to look at. */
  handEdits?(model: Model): Promise<{ readonly host: EditableHost; readonly edits: HandEdits }>;
}

/**
 * Compares a model with the live cluster and, where this run starts something that must find its volumes, with the
 * backups in the bucket. Throws a ConfigError naming everything that would be lost, every downgrade and every skipped
 * version, and a Failure where cluster or bucket do not answer.
 */
export async function guard(
  model: Model,
  sources: LiveSources,
  now: Date,
): Promise<{ readonly live: LiveState; readonly staged: readonly Staged[]; readonly warnings: readonly Warning[] }> {
  const { live, running, certificateEnd } = await sources.cluster(model);
  const managed = model.machines !== undefined;
  const skew = skewProblems(declaredVersions(model), running, managed);
  const staged = stagesOf(model, live, now);
  refuse(model.stack.name, [...lossProblems(model, live, now), ...moveProblems(model, staged, live), ...skew]);
  if (readsCatalogue(model, staged, live)) {
    refuse(model.stack.name, rebuildProblems(model, staged, live, await sources.backedUp(model)));
  }
  const warnings = [
    ...kubeconfigWarnings(certificateEnd, renewalOf(model.stack, managed), now),
    ...warningsOf(model, staged, live),
  ];
  return { live, staged, warnings };
}

function warningsOf(model: Model, staged: readonly Staged[], live: LiveState): Warning[] {
  if (model.phase === "restore") {
    const message =
      "restore: no schedules and no guests. Next: npx kraft restore plan, then restore apply; once all is back, kraft:phase: run";
    return [{ key: "kraft:phase", message }, ...stageWarnings(staged, live)];
  }
  return [...moveWarnings(model, live), ...stageWarnings(staged, live)];
}

function stageWarnings(staged: readonly Staged[], live: LiveState): Warning[] {
  return staged.flatMap(({ tenant: { name }, stage }) => {
    const message = stageMessage(name, stage, liveTenant(live, name));
    return message === undefined ? [] : [{ key: `kraft:tenants.${name}.state`, message }];
  });
}

function stageMessage(name: string, stage: Stage, found: LiveTenant | undefined): string | undefined {
  const pods = found?.pods ?? [];
  switch (stage) {
    case "suspended":
      return pods.length === 0
        ? undefined
        : `suspended, but K3k does not stop pods that are there: ${pods.join(", ")}. They are cut off from the network; ` +
            `after this run: kubectl delete pods --all --namespace ${tenantNames(name).namespace}`;
    case "closing":
      return "archived: this run unlocks the guest cluster, the next up deletes it. Its backups stay";
    case "removing":
      return "purged: this run unlocks the namespace, the next up deletes it";
    case "guest":
      return found?.suspendedAt === undefined
        ? undefined
        : `active, and the guest is stopped: this run starts it again. If it has nothing to change in ` +
            `tenant-${name}-cluster, the guest stays stopped: docs/runbooks/up-cut-short.md`;
    case "prepared":
      return undefined;
  }
}

/** The cluster that the stack file names, and its bucket. */
export const liveSources: LiveSources = {
  cluster: async (model) => {
    const host = await hostOf(model);
    const [live, running] = await Promise.all([readLiveState(host), runningVersions(host)]);
    return { live, running, certificateEnd: host.certificateEnd };
  },
  backedUp: async ({ backup, secrets }) => {
    const { readCatalogue } = await import("../catalogue/catalogue.ts");
    // The restore checks the blocks; here only the list of volumes counts.
    return readCatalogue({ ...backup, ...secrets.wasabi }, { blocks: false });
  },
  handEdits: async (model) => {
    const host = await hostOf(model);
    return { host, edits: await readHandEdits(host) };
  },
};

function hostOf({ stack, cluster, machines }: Model): Promise<ConnectedHost> {
  return connect({
    cluster,
    file: `Pulumi.${stack.name}.yaml`,
    // Pulumi runs the program in the folder of its project file.
    directory: ".",
    remedy: renewalOf(stack, machines !== undefined),
  });
}
