import { createHash } from "node:crypto";

/** Tiers by name, the least protected first: a tenant's tier is the best that it may use. */
export const tierNames = ["bulk", "standard", "critical"] as const;

export type TierName = (typeof tierNames)[number];

/** How well a volume is protected: how often a snapshot is taken in the cluster, and how often a backup leaves it. */
export interface Tier {
  /** Name of the StorageClass, the same on every stack, so that manifests and restores work on all. */
  readonly storageClass: string;
  /** The tier, which is also the name of Longhorn's recurring-job group. */
  readonly group: TierName;
  readonly description: string;
  readonly isDefault: boolean;
  readonly backupBlockSize: "2Mi" | "16Mi";
  readonly dataLocality: "best-effort" | "disabled";
}

/** Name of the default class, which the guests' own datastores use too. */
export const defaultStorageClass = "kraft-standard";

const criticalStorageClass = "kraft-critical";

/** Label on the classes that K3k copies into guests. */
export const tenantStorageLabel = "kraft.dev/tenant-storage";

/** Label on every class that a tenant of a tier may use, by which K3k copies it into such a tenant's guest. */
export function tierLabel(tier: TierName): string {
  return `kraft.dev/tier-${tier}`;
}

/** Longhorn's name of the target that a stack's own backups are in. */
export const defaultTarget = "default";

/**
 * Longhorn's group of volumes that must not be backed up, because a drill or an unfinished restore uses them. They are only
 * trimmed; having a group keeps them out of `default`.
 */
export const noBackupGroup = "kraft-none";

/** Classes that Longhorn's manager creates by itself; no tenant may use them, since they have no schedule. */
export const longhornOwnClasses = ["longhorn", "longhorn-static"] as const;

/** Default number of copies of a volume: two, which survive the loss of any one node, or one where there is one node. */
export function defaultReplicas(nodes: number): number {
  return Math.min(2, nodes);
}

/** The tiers of every host cluster. */
export const tiers: readonly Tier[] = [
  {
    storageClass: defaultStorageClass,
    group: "standard",
    description: "hourly snapshot, daily backup",
    isDefault: true,
    backupBlockSize: "2Mi",
    dataLocality: "best-effort",
  },
  {
    storageClass: criticalStorageClass,
    group: "critical",
    description: "hourly snapshot, a backup every six hours",
    isDefault: false,
    backupBlockSize: "2Mi",
    dataLocality: "best-effort",
  },
  {
    storageClass: "kraft-bulk",
    group: "bulk",
    description: "daily snapshot, weekly backup",
    isDefault: false,
    backupBlockSize: "16Mi",
    dataLocality: "disabled",
  },
];

/** The classes that a tenant of a tier may use: the tier's own and every less protected one. */
export function tenantClasses(tier: TierName) {
  const names = (some: readonly Tier[]): string[] => some.map(({ storageClass }) => storageClass);
  return {
    /** Names of the classes that the tenant's volumes may be of. */
    allowed: names(tiers.filter(({ group }) => rank(group) <= rank(tier))),
    /** Names of Kraft's other classes. The datastore's may be among them: then only K3k claims a volume of it. */
    forbidden: names(tiers.filter(({ group }) => rank(group) > rank(tier))),
    /** Class of the guest's datastore. Never bulk: a guest that lost a week of its objects would be lost. */
    datastore: tier === "critical" ? criticalStorageClass : defaultStorageClass,
    /** Labels by which K3k copies the allowed classes, and no other, into the guest. */
    selector: { [tierLabel(tier)]: "true" },
  };
}

/**
 * What may be claimed of the classes outside a tenant's tier, as Kubernetes quantities by class: nothing, except the
 * datastore's size of the datastore's class.
 */
export function classLimits(tier: TierName, datastoreSize: string): Record<string, string> {
  const { forbidden, datastore } = tenantClasses(tier);
  return Object.fromEntries([
    ...forbidden.map((name) => [name, name === datastore ? datastoreSize : "0"] as const),
    ...longhornOwnClasses.map((name) => [name, "0"] as const),
  ]);
}

/** Labels of a tier's StorageClass, which say what tenants may see it. Unlike its parameters they can change. */
export function storageClassLabels(tier: Tier): Record<string, string> {
  const seenBy = tierNames.filter((name) => rank(name) >= rank(tier.group));
  return {
    [tenantStorageLabel]: "true",
    ...Object.fromEntries(seenBy.map((name) => [tierLabel(name), "true"])),
  };
}

function rank(tier: TierName): number {
  return tierNames.indexOf(tier);
}

/**
 * Parameters of a tier's StorageClass. Kubernetes lets nobody change them, so nothing that an operator may configure is
 * among them: without `numberOfReplicas` Longhorn takes its setting `default-replica-count`, which can change
 * (longhorn-manager, webhook/resources/volume/mutator.go).
 */
export function storageClassParameters(tier: Tier): Record<string, string> {
  return {
    staleReplicaTimeout: "2880",
    fsType: "ext4",
    dataEngine: "v1",
    dataLocality: tier.dataLocality,
    backupTargetName: defaultTarget,
    backupBlockSize: tier.backupBlockSize,
    unmapMarkSnapChainRemoved: "enabled",
    recurringJobSelector: JSON.stringify([{ name: tier.group, isGroup: true }]),
  };
}

/** One of Longhorn's RecurringJobs. Every field is stated: Longhorn fills in what is left out, which would be drift. */
export interface Schedule {
  readonly name: string;
  readonly task: "backup" | "filesystem-trim" | "snapshot" | "snapshot-cleanup" | "system-backup";
  /** In UTC: Longhorn knows no time zones. */
  readonly cron: string;
  /** `default` is every volume without a job or group: those outside our classes are backed up, too. */
  readonly groups: readonly string[];
  /** How many snapshots or backups are kept; 0 where the task keeps none. */
  readonly retain: number;
  readonly concurrency: number;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * From how many intervals of its schedule on a backup counts as late. Our own choice: backups run one after the other, so
 * that one may start hours after its time, and with two intervals a whole backup would be missing before anybody is told.
 */
export const lateAfterIntervals = 1.5;

/** The volumes of every tier, and those of no tier. */
const everyGroup = ["bulk", "critical", "default", "standard"];

/**
 * Snapshot and backup schedules of all tiers, staggered so that no two start at once. Backups run one at a time: the uplink
 * is the bottleneck, not Longhorn. `schedulesOf` shifts these times for each cluster.
 *
 * Wasabi charges 90 days for everything stored, so keeping thirteen weekly backups costs nothing more. More frequent ones
 * are kept for less time, so that Longhorn has few backups to compare when it deletes blocks.
 */
export const schedules: readonly Schedule[] = [
  job("snapshot-hourly", "snapshot", "7 * * * *", ["critical", "default", "standard"], 24, { concurrency: 2 }),
  job("snapshot-daily", "snapshot", "37 1 * * *", ["bulk"], 3),
  job("backup-six-hourly", "backup", "15 */6 * * *", ["critical"], 28),
  job("backup-daily", "backup", "45 0 * * *", ["default", "standard"], 30),
  job("backup-weekly", "backup", "0 2 * * 6", everyGroup, 13),
  job("trim-weekly", "filesystem-trim", "0 5 * * 0", [...everyGroup, noBackupGroup].sort(), 0),
  job("cleanup-daily", "snapshot-cleanup", "30 4 * * *", everyGroup, 0),
  // By default it would back up volumes as well, without saying whose they are.
  job("system-backup-daily", "system-backup", "0 6 * * *", [], 14, {
    parameters: { "volume-backup-policy": "disabled" },
  }),
];

/** The most minutes by which a cluster's schedules are shifted. */
export const longestShift = 44;

/**
 * The schedules of one cluster, all shifted by the same number of minutes, which its backup target determines: they
 * stay as far apart as planned, and not every Kraft calls Wasabi at the same minute.
 */
export function schedulesOf(target: string): readonly Schedule[] {
  const shift = createHash("sha256").update(target).digest().readUInt32BE() % (longestShift + 1);
  return schedules.map((schedule) => ({ ...schedule, cron: later(schedule.cron, shift) }));
}

/** A cron expression, later by some minutes. Only one with a single hour can move into the next. */
function later(cron: string, minutes: number): string {
  const [minute = "", hour = "", ...days] = cron.split(" ");
  const total = Number(minute) + minutes;
  if (total < 60) {
    return [total, hour, ...days].join(" ");
  }
  const next = Number(hour) + 1;
  if (Number.isNaN(next) || next > 23) {
    throw new RangeError(`${cron} cannot start ${minutes} minutes later on the same day`);
  }
  return [total - 60, next, ...days].join(" ");
}

/** The most frequent schedule of a task for a group, of all or of one cluster's; undefined where there is none. */
export function scheduleOf(
  group: string,
  task: Schedule["task"],
  some: readonly Schedule[] = schedules,
): Schedule | undefined {
  // More frequent ones are listed first.
  return some.find((schedule) => schedule.task === task && schedule.groups.includes(group));
}

function job(
  name: string,
  task: Schedule["task"],
  cron: string,
  groups: readonly string[],
  retain: number,
  more: Partial<Pick<Schedule, "concurrency" | "parameters">> = {},
): Schedule {
  return { name, task, cron, groups, retain, concurrency: 1, parameters: {}, ...more };
}
