/** How a volume is kept: how often a snapshot stays in the house, and how often a backup leaves it. */
export interface Tier {
  /** Name of the StorageClass, the same on every stack, so that manifests and restores fit all. */
  readonly storageClass: string;
  /** Longhorn's recurring-job group. */
  readonly group: string;
  readonly description: string;
  readonly isDefault: boolean;
  readonly backupBlockSize: "2Mi" | "16Mi";
  readonly dataLocality: "best-effort" | "disabled";
}

/** Name of the class that a tenant gets without asking, and that the guests' own datastores use. */
export const defaultStorageClass = "kraft-standard";

/** Label on the classes that K3k copies into the guests. */
export const tenantStorageLabel = "kraft.dev/tenant-storage";

/** Classes that Longhorn's manager makes by itself; no tenant may use them, since they know no schedule. */
export const longhornOwnClasses = ["longhorn", "longhorn-static"] as const;

/**
 * Copies of a standard volume where the operator says nothing: two, which survive the loss of any one node, or one
 * where there is only one node.
 */
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
    storageClass: "kraft-critical",
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
    backupTargetName: "default",
    backupBlockSize: tier.backupBlockSize,
    unmapMarkSnapChainRemoved: "enabled",
    recurringJobSelector: JSON.stringify([{ name: tier.group, isGroup: true }]),
  };
}

/** One of Longhorn's RecurringJobs. Every field is stated: what is left out Longhorn fills in, and that would be drift. */
export interface Schedule {
  readonly name: string;
  readonly task: "backup" | "filesystem-trim" | "snapshot" | "snapshot-cleanup" | "system-backup";
  /** In UTC: Longhorn knows no time zones. */
  readonly cron: string;
  /** `default` is every volume without a job or group of its own: made outside our classes, it is backed up all the same. */
  readonly groups: readonly string[];
  /** How many snapshots or backups are kept; 0 where the task keeps none. */
  readonly retain: number;
  readonly concurrency: number;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Snapshot and backup schedules of all tiers, staggered so that no two start at once. One backup at a time: the uplink
 * is the bottleneck, not Longhorn.
 */
export const schedules: readonly Schedule[] = [
  job("snapshot-hourly", "snapshot", "7 * * * *", ["critical", "default", "standard"], 24, { concurrency: 2 }),
  job("snapshot-daily", "snapshot", "37 1 * * *", ["bulk"], 3),
  job("backup-six-hourly", "backup", "15 */6 * * *", ["critical"], 28),
  job("backup-daily", "backup", "45 0 * * *", ["default", "standard"], 30),
  job("backup-weekly", "backup", "0 2 * * 6", ["bulk"], 13),
  job("trim-weekly", "filesystem-trim", "0 5 * * 0", ["bulk", "critical", "default", "standard"], 0),
  job("cleanup-daily", "snapshot-cleanup", "30 4 * * *", ["bulk", "critical", "default", "standard"], 0),
  job("system-backup-daily", "system-backup", "0 6 * * *", [], 14, {
    parameters: { "volume-backup-policy": "disabled" },
  }),
];

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
