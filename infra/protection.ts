import { backupTargetUrl } from "../components/plan/longhorn-values.ts";
import { type Schedule, scheduleOf, schedulesOf, tenantClasses, tiers } from "../components/plan/storage.ts";
import type { Model, Tenant } from "./model.ts";
import { rhythm } from "./schedule.ts";

/** How often something is made of a volume, and how many are kept. */
export interface Kept {
  readonly words: string;
  readonly keep: number;
}

/** How the volumes of one tenant are protected. */
export interface Protection {
  /** Every class that the tenant may use. */
  readonly classes: readonly {
    readonly name: string;
    readonly isDefault: boolean;
    readonly snapshots: Kept;
    readonly backups: Kept;
  }[];
  /** The class of the guest's own objects, and how they are backed up. */
  readonly datastore: { readonly name: string; readonly backups: Kept };
}

/** How a tenant's volumes are protected in this cluster, whose schedules have times of their own. */
export function protectionOf({ backup }: Pick<Model, "backup">, { tier }: Pick<Tenant, "tier">): Protection {
  const schedules = schedulesOf(backupTargetUrl(backup));
  const { allowed, datastore } = tenantClasses(tier);
  const kept = (storageClass: string, task: Schedule["task"]): Kept => {
    const group = tiers.find((candidate) => candidate.storageClass === storageClass)?.group ?? "default";
    const schedule = scheduleOf(group, task, schedules);
    if (schedule === undefined) {
      throw new RangeError(`no schedule makes a ${task} of volumes in group ${group}`);
    }
    return { words: rhythm(schedule.cron).words, keep: schedule.retain };
  };
  return {
    classes: tiers
      .filter(({ storageClass }) => allowed.includes(storageClass))
      .map(({ storageClass, isDefault }) => ({
        name: storageClass,
        isDefault,
        snapshots: kept(storageClass, "snapshot"),
        backups: kept(storageClass, "backup"),
      })),
    datastore: { name: datastore, backups: kept(datastore, "backup") },
  };
}
