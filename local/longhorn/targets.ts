import { createHash } from "node:crypto";
import type { StoredBackup } from "./backup-store.ts";
import type { Backup, BackupTarget, BackupVolume } from "./objects.ts";
import { milliseconds } from "./time.ts";

/** DefaultBackupTargetName of types/types.go. */
export const defaultTarget = "default";

/** GetBackupVolumeNameFromVolumeName of types/types.go: two targets may each have one of the same volume. */
export function backupVolumeName(volume: string, target = defaultTarget): string {
  return `${volume}-${createHash("sha256").update(`${volume}-${target}`).digest("hex").slice(0, 8)}`;
}

/** The backup's name in a URL such as `s3://bucket@region/?backup=<name>&volume=<name>`. */
export function backupOfUrl(url: string): { readonly backup: string; readonly volume: string } {
  const { searchParams } = new URL(url);
  return { backup: searchParams.get("backup") ?? "", volume: searchParams.get("volume") ?? "" };
}

/** Labels of what a target has of a volume: LonghornLabelBackupTarget and LonghornLabelBackupVolume of types/types.go. */
export function targetLabels(target: string, volume: string): Readonly<Record<string, string>> {
  return { "backup-target": target, "backup-volume": volume };
}

/**
 * Whether a sync is asked for and did not come yet. The time must be later than that of the last one, of which Longhorn
 * keeps whole seconds: what is asked for within the same second never comes (metav1.Time).
 */
export function isSyncOutstanding({ spec, status }: BackupTarget | BackupVolume): boolean {
  return Date.parse(spec.syncRequestedAt ?? "") > Date.parse(status?.lastSyncedAt ?? "");
}

/**
 * Whether a target's store is to be read: isBackupTargetSyncRequired of controller/backup_target_controller.go, and its
 * BackupStoreTimer, which asks for that once in an interval.
 *
 * @param at RFC 3339.
 */
export function isTargetDue(target: BackupTarget, at: string): boolean {
  const synced = target.status?.lastSyncedAt ?? "";
  const interval = milliseconds(target.spec.pollInterval ?? "0s");
  return (
    synced === "" || isSyncOutstanding(target) || (interval > 0 && Date.parse(at) - Date.parse(synced) >= interval)
  );
}

/** Whether what a store has of a volume is to be read anew (reconcile of controller/backup_volume_controller.go). */
export function isVolumeDue(volume: BackupVolume): boolean {
  return (volume.status?.lastSyncedAt ?? "") === "" || isSyncOutstanding(volume);
}

/** isBackupTargetAvailable of controller/utils.go. */
export function isAvailable(target: BackupTarget | undefined): target is BackupTarget {
  return (
    target?.metadata.deletionTimestamp === undefined &&
    (target?.spec.backupTargetURL ?? "") !== "" &&
    target?.status?.available === true
  );
}

/** A target's status once it was tried. @param trouble Why it cannot be read; undefined where it can. */
export function targetStatus(trouble: string | undefined, syncedAt: string | null): object {
  return {
    available: trouble === undefined,
    lastSyncedAt: syncedAt,
    conditions: [
      {
        type: "Unavailable",
        status: trouble === undefined ? "False" : "True",
        reason: trouble === undefined ? "" : "Unavailable",
        message: trouble ?? "",
        lastProbeTime: "",
        lastTransitionTime: "",
      },
    ],
  };
}

/** A BackupVolume's status, from all backups of the volume in one store. */
export function backupVolumeStatus(backups: readonly StoredBackup[], syncedAt: string): object {
  const own = [...backups].sort(bySnapshot);
  const last = own.at(-1);
  return {
    lastBackupName: last?.name ?? "",
    lastBackupAt: last?.snapshotCreatedAt ?? "",
    lastSyncedAt: syncedAt,
    size: String(last?.volumeSize ?? 0),
    createdAt: own[0]?.createdAt ?? "",
    dataStored: String(Math.max(0, ...own.map(({ size }) => size))),
    storageClassName: last?.storageClass ?? "",
    labels: {},
  };
}

/** The status of a Backup that is in a store, of a target with this URL. */
export function completedStatus(backup: StoredBackup, target: BackupTarget, syncedAt: string): object {
  return {
    state: "Completed",
    progress: 100,
    url: `${target.spec.backupTargetURL ?? ""}?backup=${backup.name}&volume=${backup.volume}`,
    snapshotName: backup.snapshot,
    snapshotCreatedAt: backup.snapshotCreatedAt,
    backupCreatedAt: backup.createdAt,
    size: String(backup.size),
    volumeName: backup.volume,
    volumeSize: String(backup.volumeSize),
    labels: backup.labels,
    lastSyncedAt: syncedAt,
    compressionMethod: "lz4",
    newlyUploadDataSize: String(backup.uploaded ?? backup.size),
    reUploadedDataSize: "0",
    backupTargetName: target.metadata.name,
  };
}

/**
 * Backups of a volume that are objects and no longer in the store: only the objects go. One that is still being made, or
 * failed, is not in the store either, and stays (reconcile of controller/backup_volume_controller.go).
 *
 * @param objects Those of one target and volume.
 */
export function goneBackups(objects: readonly Backup[], stored: readonly StoredBackup[]): readonly Backup[] {
  return objects.filter(
    ({ metadata, spec, status }) =>
      metadata.deletionTimestamp === undefined &&
      ((spec.snapshotName ?? "") === "" || status?.state === "Completed") &&
      !stored.some(({ name }) => name === metadata.name),
  );
}

function bySnapshot(a: StoredBackup, b: StoredBackup): number {
  return a.snapshotCreatedAt.localeCompare(b.snapshotCreatedAt) || a.name.localeCompare(b.name);
}
