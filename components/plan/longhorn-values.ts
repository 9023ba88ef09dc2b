import type { S3Key, S3Location } from "./backup-store.ts";

/** Name of the Secret with the key to the bucket of the stack's own backups. */
export const backupCredentialSecret = "wasabi-backup";

export interface LonghornSettings {
  readonly nodes: number;
  /** Folder on each node that holds the replicas. */
  readonly dataPath: string;
  /** Whether that folder's file system is Longhorn's alone; one shared with the operating system keeps more free. */
  readonly dedicatedDisk: boolean;
  /** Copies of every volume, each on a node of its own. */
  readonly replicas: number;
  /** Whether volumes are being restored, and may come back with fewer copies than they are to have. */
  readonly restoring?: boolean;
  /** `s3://bucket@region/prefix/`. Never empty: Longhorn would silently stop all backups. */
  readonly backupTarget: string;
  readonly backupCredentialSecret: string;
}

/** Where Longhorn reads and writes backups; the slash at the end is required. */
export function backupTargetUrl({ bucket, region, prefix }: Omit<S3Location, "endpoint">): string {
  return `s3://${bucket}@${region}/${prefix}/`;
}

/** A key to a bucket, as the Secret of one of Longhorn's backup targets holds it. */
export function backupCredentials<Value>(
  key: Pick<S3Location, "endpoint"> & S3Key<Value>,
): Record<string, Value | string> {
  return {
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_ENDPOINTS: key.endpoint,
    VIRTUAL_HOSTED_STYLE: "false",
  };
}

/** Longhorn's settings that capacity and backup times are calculated from. */
export function longhornFigures(nodes: number, dedicatedDisk: boolean) {
  const several = nodes > 1;
  return {
    /** Percent of a disk's schedulable size that may be promised. */
    overProvisioning: 100,
    /** Percent of a disk that stays available, or nothing more is scheduled on it. */
    minimalAvailable: dedicatedDisk ? (several ? 15 : 10) : 25,
    /** Percent of a disk that Longhorn leaves to others. */
    reserved: dedicatedDisk ? (several ? 10 : 5) : 30,
    /** Percent of a node's allocatable CPU. */
    guaranteedInstanceManagerCpu: several ? 12 : 4,
    backupWorkers: 2,
  };
}

export type LonghornFigures = Readonly<ReturnType<typeof longhornFigures>>;

export type LonghornValues = ReturnType<typeof longhornValues>;

/**
 * Values for Longhorn's chart, for machines without an uninterruptible power supply, gigabit between the nodes and a
 * slow line out. `defaultSettings` and `defaultBackupStore` are the only place that lasts: Longhorn rewrites its Setting
 * objects and its BackupTarget from them.
 */
export function longhornValues(settings: LonghornSettings) {
  const { nodes, dataPath, dedicatedDisk, replicas } = settings;
  const several = nodes > 1;
  const figures = longhornFigures(nodes, dedicatedDisk);
  const csiReplicas = Math.min(2, nodes);
  return {
    // A Helm hook, which a rendered chart does not run. Longhorn's manager itself refuses an unsupported upgrade.
    preUpgradeChecker: { jobEnabled: false, upgradeVersionCheck: true },
    networkPolicies: { restrictInternalTraffic: true },
    // Longhorn would delete and create its own class whenever it differs; Kraft declares its own.
    persistence: { createStorageClass: false },
    csi: {
      kubeletRootDir: "/var/lib/kubelet",
      attacherReplicaCount: csiReplicas,
      provisionerReplicaCount: csiReplicas,
      resizerReplicaCount: csiReplicas,
      snapshotterReplicaCount: csiReplicas,
    },
    longhornUI: { replicas: 1 },
    longhornManager: { updateStrategy: { rollingUpdate: { maxUnavailable: 1 } } },
    defaultBackupStore: {
      backupTarget: settings.backupTarget,
      backupTargetCredentialSecret: settings.backupCredentialSecret,
      pollInterval: 300,
    },
    defaultSettings: {
      defaultDataPath: dataPath,
      defaultReplicaCount: String(replicas),
      defaultDataLocality: "best-effort",
      replicaSoftAntiAffinity: false,
      replicaAutoBalance: several ? "least-effort" : "disabled",
      storageOverProvisioningPercentage: figures.overProvisioning,
      storageMinimalAvailablePercentage: figures.minimalAvailable,
      storageReservedPercentageForDefaultDisk: figures.reserved,
      allowVolumeCreationWithDegradedAvailability: !several || settings.restoring === true,
      nodeDownPodDeletionPolicy: several ? "delete-both-statefulset-and-deployment-pod" : "do-nothing",
      // With the default, draining the only node would never end.
      nodeDrainPolicy: several ? "block-if-contains-last-replica" : "allow-if-replica-is-stopped",
      replicaReplenishmentWaitInterval: 1800,
      concurrentReplicaRebuildPerNodeLimit: 2,
      concurrentVolumeBackupRestorePerNodeLimit: several ? 2 : 3,
      concurrentAutomaticEngineUpgradePerNodeLimit: 1,
      engineReplicaTimeout: several ? "15" : "8",
      guaranteedInstanceManagerCPU: String(figures.guaranteedInstanceManagerCpu),
      offlineReplicaRebuilding: String(several),
      autoSalvage: true,
      autoDeletePodWhenVolumeDetachedUnexpectedly: true,
      // A single copy cannot be repaired: bit rot must be found while there still is a good backup.
      snapshotDataIntegrity: several ? "fast-check" : "enabled",
      snapshotDataIntegrityCronjob: "0 3 * * 6",
      snapshotHeavyTaskConcurrentLimit: 2,
      snapshotMaxCount: 100,
      freezeFilesystemForSnapshot: '{"v1":"true"}',
      backupCompressionMethod: several ? "lz4" : "gzip",
      backupConcurrentLimit: figures.backupWorkers,
      restoreConcurrentLimit: 4,
      backupExecutionTimeout: 5,
      // Volumes of a suspended tenant are still backed up.
      allowRecurringJobWhileVolumeDetached: true,
      restoreVolumeRecurringJobs: false,
      // Orphaned replica data may be the last copy: only a person deletes it.
      orphanResourceAutoDeletion: "instance",
      recurringFailedJobsHistoryLimit: 3,
      upgradeChecker: false,
      allowCollectingLonghornUsageMetrics: false,
    },
  };
}
