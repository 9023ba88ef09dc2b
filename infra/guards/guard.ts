import type { LiveState } from "../../cluster/live-state.ts";
import type { RunningVersions } from "../../cluster/running-versions.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { refuse, type Warning } from "../../errors/problem.ts";
import { skewProblems } from "../checks/skew.ts";
import { declaredVersions } from "../checks/support.ts";
import { kubeconfigWarnings, renewalOf } from "../kubeconfig-renewal.ts";
import type { Model } from "../model.ts";
import { lossProblems } from "./losses.ts";
import { moveProblems, moveWarnings } from "./moves.ts";
import { type BackedUp, readsCatalogue, rebuildProblems } from "./rebuild.ts";
import { type Staged, stagesOf } from "./stages.ts";

/** What the program sees of the world before it declares anything. */
export interface LiveSources {
  /** What stands in the cluster, which versions run there, and until when the kubeconfig opens it. */
  cluster(model: Model): Promise<{
    readonly live: LiveState;
    readonly running: RunningVersions;
    /** Undefined where the kubeconfig has no client certificate. */
    readonly certificateEnd: Date | undefined;
  }>;
  /** What lies in the bucket. */
  backedUp(model: Model): Promise<BackedUp>;
}

/** What the guards let through, and what the operator should know of it. */
export interface Guarded {
  readonly live: LiveState;
  readonly staged: readonly Staged[];
  readonly warnings: readonly Warning[];
}

/**
 * Holds a model against what stands in the cluster and what lies in the bucket. The bucket is only asked where something
 * is about to start that must find its volumes.
 *
 * @throws ConfigError naming everything that would be lost, and every version that would go back or skip one.
 * @throws Failure where cluster or bucket do not answer.
 */
export async function guard(model: Model, sources: LiveSources, now: Date): Promise<Guarded> {
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
  const restoring: Warning[] =
    model.phase === "restore"
      ? [
          {
            key: "kraft:phase",
            message:
              "restore: no schedules and no guests. Next: npx kraft restore plan, then restore apply; once all is back, kraft:phase: run",
          },
        ]
      : [];
  return [
    ...restoring,
    ...(model.phase === "restore" ? [] : moveWarnings(model, live)),
    ...staged.flatMap(({ tenant: { name }, stage }) => {
      const key = `kraft:tenants.${name}.state`;
      const found = live.tenants.find((tenant) => tenant.name === name);
      const pods = found?.pods ?? [];
      switch (stage) {
        case "suspended":
          return pods.length === 0
            ? []
            : [
                {
                  key,
                  message:
                    `suspended, but K3k stops no pod that is there: ${pods.join(", ")}. They reach nothing and nobody reaches ` +
                    `them; once this run is done: kubectl delete pods --all --namespace ${tenantNames(name).namespace}`,
                },
              ];
        case "closing":
          return [
            { key, message: "archived: this run unlocks the guest cluster, the next up deletes it. Its backups stay" },
          ];
        case "removing":
          return [{ key, message: "purged: this run unlocks the namespace, the next up deletes it" }];
        case "guest":
          return found?.suspendedAt === undefined
            ? []
            : [
                {
                  key,
                  message:
                    `active, and the guest is stopped: this run starts it again. If it has nothing to change in ` +
                    `tenant-${name}-cluster, the guest stays stopped: docs/runbooks/up-cut-short.md`,
                },
              ];
        case "prepared":
          return [];
      }
    }),
  ];
}
