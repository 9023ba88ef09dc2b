import type { Api } from "../../cluster/api.ts";
import { connect } from "../../cluster/client.ts";
import { type LiveNode, readLiveNodes } from "../../cluster/live-nodes.ts";
import { type LiveState, type LiveTenant, liveTenant, readLiveState } from "../../cluster/live-state.ts";
import { type RunningVersions, runningVersions } from "../../cluster/running-versions.ts";
import type { Stage } from "../../components/plan/lifecycle.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { refuse, type Warning } from "../../errors/problem.ts";
import { declaredVersions } from "../checks/support.ts";
import { type EditableHost, type HandEdits, readHandEdits } from "../drift/put-back.ts";
import { kubeconfigWarnings, renewalOf } from "../kubeconfig-renewal.ts";
import type { Model } from "../model.ts";
import { apiServerProblems, knowsMutatingPolicies } from "./api-server.ts";
import { goneProblems } from "./gone.ts";
import { type GuestRestarts, guestRestarts, restartWarnings } from "./guest-restarts.ts";
import { hardwareProblems, hardwareWarnings } from "./hardware.ts";
import { lossProblems } from "./losses.ts";
import { moveProblems, moveWarnings } from "./moves.ts";
import { type BackedUp, readsCatalogue, rebuildProblems } from "./rebuild.ts";
import { servedDomainProblems, servedDomainWarnings } from "./served-domains.ts";
import { type Staged, stagesOf } from "./stages.ts";
import { versionChangeProblems } from "./version-changes.ts";

/** Where the program reads the live cluster and the bucket before it declares anything. */
export interface LiveSources {
  cluster(model: Model): Promise<{
    readonly live: LiveState;
    readonly running: RunningVersions;
    /** None where there is no cluster to look at. */
    readonly nodes: readonly LiveNode[];
    /** Undefined where the kubeconfig has no client certificate. */
    readonly certificateEnd: Date | undefined;
    readonly knowsMutatingPolicies?: boolean;
    readonly byHand?: ChangedByHand;
  }>;
  backedUp(model: Model): Promise<BackedUp>;
}

/** What somebody wrote by hand, and the cluster in which it is put back. */
interface ChangedByHand {
  readonly host: EditableHost & Pick<Api, "delete" | "merge">;
  readonly edits: HandEdits;
}

/** What the program goes on with. */
export interface Guarded {
  readonly live: LiveState;
  readonly staged: readonly Staged[];
  readonly restarts: GuestRestarts;
  readonly warnings: readonly Warning[];
  /** Undefined where there is no cluster to look at. */
  readonly byHand: ChangedByHand | undefined;
}

/**
 * Compares a model with the live cluster and, where this run starts something that must find its volumes, with the
 * backups in the bucket. Throws a ConfigError naming everything that is gone or would be lost, hardware that is not
 * what the file says, every downgrade and every skipped version, and a Failure where cluster or bucket do not answer.
 */
export async function guard(model: Model, sources: LiveSources, now: Date): Promise<Guarded> {
  const { live, running, nodes, certificateEnd, byHand, ...found } = await sources.cluster(model);
  const managed = model.machines !== undefined;
  const skew = versionChangeProblems(declaredVersions(model), running, managed);
  const staged = stagesOf(model, live, now);
  const gone = goneProblems(model, staged, live);
  // That a guest lacks volumes is said once, and with the way back that fits.
  const moves = moveProblems(model, staged, live).filter(({ key }) => !gone.some((of) => key === `${of.key}.from`));
  refuse(model.stack.name, [
    ...apiServerProblems(found.knowsMutatingPolicies, managed),
    ...hardwareProblems(model, nodes),
    ...gone,
    ...lossProblems(model, live, now),
    ...moves,
    ...servedDomainProblems(model, live),
    ...skew,
  ]);
  if (readsCatalogue(model, staged, live)) {
    refuse(model.stack.name, rebuildProblems(model, staged, live, await sources.backedUp(model)));
  }
  const restarts = guestRestarts(staged, running, model.stack.guestVersion);
  const warnings = [
    ...kubeconfigWarnings(certificateEnd, renewalOf(model.stack, managed), now),
    ...hardwareWarnings(model, nodes),
    ...warningsOf(model, staged, live),
    ...restartWarnings(restarts, model.stack.name),
  ];
  return { live, staged, restarts, warnings, byHand };
}

function warningsOf(model: Model, staged: readonly Staged[], live: LiveState): Warning[] {
  if (model.phase === "restore") {
    const message =
      "restore: no schedules and no guests. Next: npx kraft restore plan, then restore apply; once all is back, kraft:phase: run";
    return [{ key: "kraft:phase", message }, ...stageWarnings(staged, live)];
  }
  return [...moveWarnings(model, live), ...stageWarnings(staged, live), ...servedDomainWarnings(model, live)];
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
      return "archived: this run unlocks the guest cluster, the next up deletes it, today or tomorrow (UTC). Its backups stay";
    case "removing":
      return "purged: this run unlocks the namespace, the next up deletes it, today or tomorrow (UTC)";
    case "guest":
      return found?.suspendedAt === undefined
        ? undefined
        : "active, and the guest is stopped: this run starts it again";
    case "prepared":
      return undefined;
  }
}

/** The cluster that the stack file names, and its bucket. */
export const liveSources: LiveSources = {
  cluster: async (model) => {
    const { stack, cluster, machines } = model;
    const host = await connect({
      cluster,
      file: `Pulumi.${stack.name}.yaml`,
      // Pulumi runs the program in the folder of its project file.
      directory: ".",
      remedy: renewalOf(stack, machines !== undefined),
    });
    const [live, running, nodes, known, edits] = await Promise.all([
      readLiveState(host),
      runningVersions(host),
      readLiveNodes(host),
      knowsMutatingPolicies(host),
      readHandEdits(host),
    ]);
    const { certificateEnd } = host;
    return { live, running, nodes, certificateEnd, knowsMutatingPolicies: known, byHand: { host, edits } };
  },
  backedUp: async ({ backup, secrets }) => {
    const { readCatalogue } = await import("../catalogue/catalogue.ts");
    // The restore checks the blocks; here only the list of volumes counts.
    return readCatalogue({ ...backup, ...secrets.wasabi }, { blocks: false });
  },
};
