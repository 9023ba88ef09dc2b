import type { WritableHost } from "../../cluster/client.ts";
import { defaultTarget } from "../../cluster/longhorn.ts";
import { paths } from "../../cluster/paths.ts";
import type { RestorePlan } from "./plan.ts";
import { requireBackupTarget } from "./preconditions.ts";
import { type Outcome, restoreVolumes } from "./volumes.ts";

/** How a restore is done. */
export interface ApplyOptions {
  /** Replicas of each volume in the end. */
  readonly replicas: number;
  /** Called with what is going on. */
  readonly note: (text: string) => void;
}

/**
 * Brings volumes back. It creates and raises, and never deletes; where it is interrupted, the next run continues from what
 * exists. A retained volume is given back to its claim. What is in the way of one volume keeps no other.
 *
 * @throws Failure before anything is touched, where the cluster cannot restore: another backup target, or no classes.
 */
export async function applyRestore(
  host: WritableHost,
  plan: RestorePlan,
  { replicas, note }: ApplyOptions,
): Promise<Outcome[]> {
  const remedy = "Bring the platform up first, with kraft:phase restore: pulumi up";
  await requireBackupTarget(host, defaultTarget, plan.target, remedy);
  return restoreVolumes(host, plan.order, {
    fieldManager: "kraft-restore",
    goal: () => ({ is: "restored", replicas }),
    refused: await refusedTenants(host, plan),
    remedy,
    note,
  });
}

/** Tenants of whom nothing may be touched, and why. */
async function refusedTenants(host: WritableHost, plan: RestorePlan): Promise<ReadonlyMap<string, string>> {
  const refused = new Map(plan.refused.map((name) => [name, "its volumes do not fit its quota"]));
  await Promise.all(
    plan.tenants.map(async ({ name, namespace }) => {
      const [live, clusters] = await Promise.all([
        host.get(paths.namespaces.named(namespace)),
        host.list(paths.clusters.in(namespace)),
      ]);
      if (live === undefined) {
        refused.set(
          name,
          `namespace ${namespace} does not exist: bring the platform up first, with kraft:phase restore`,
        );
      } else if (clusters.length > 0) {
        refused.set(
          name,
          `the guest ${clusters.map(({ metadata }) => metadata.name).join(", ")} exists and may have made empty volumes already: nothing of ${name} was touched`,
        );
      }
    }),
  );
  return refused;
}
