import type { Unrestored } from "./disks.ts";
import type { BackupVolume, Engine, Volume } from "./objects.ts";
import { backupOfUrl, backupVolumeName, isSyncOutstanding } from "./targets.ts";

/** What an Engine of a volume from a backup says of its restore. Nothing else in Longhorn's API names what was restored last. */
export interface Restore {
  readonly backupVolume: string;
  readonly requestedBackupRestore: string;
  readonly currentState: "running" | "stopped";
  readonly lastRestoredBackup: string;
}

/** GenerateEngineNameForVolume of types/types.go: a volume that was never migrated has its first engine. */
export function engineName(volume: string): string {
  return `${volume}-e-0`;
}

/** What an Engine says now. */
export function restoreOf({ spec, status }: Engine): Restore {
  return {
    backupVolume: spec.backupVolume ?? "",
    requestedBackupRestore: spec.requestedBackupRestore ?? "",
    currentState: status?.currentState === "running" ? "running" : "stopped",
    lastRestoredBackup: status?.lastRestoredBackup ?? "",
  };
}

/**
 * One step of the engine of a volume from a backup; undefined while its restore has not begun. createEngine and
 * updateRequestedBackupForVolumeRestore of controller/volume_controller.go say what it is to restore: a standby volume the
 * newest backup there is, any other the one of its URL. It has restored that one step later at the earliest, and forgets it
 * when it stops (ResetMonitoringEngineStatus of datastore/longhorn.go, closeVolumeDependentResources).
 *
 * @param unrestored Why the volume does not hold what its engine was last asked for; undefined once it does.
 */
export function nextRestore(
  before: Restore | undefined,
  { spec, status = {} }: Volume,
  unrestored: Unrestored | undefined,
): Restore | undefined {
  const { fromBackup = "", backupTargetName = "default" } = spec;
  if (fromBackup === "" || status.restoreInitiated !== true) {
    return before;
  }
  const source = backupOfUrl(fromBackup);
  const running = status.state === "attached";
  const currentState = running ? "running" : "stopped";
  if (status.restoreRequired !== true) {
    const kept = running ? before : undefined;
    return {
      backupVolume: kept?.backupVolume ?? "",
      requestedBackupRestore: kept?.requestedBackupRestore ?? "",
      currentState,
      lastRestoredBackup: kept?.lastRestoredBackup ?? "",
    };
  }
  const last = status.lastBackup ?? "";
  const wanted = before?.requestedBackupRestore ?? source.backup;
  const requestedBackupRestore = status.isStandby !== true ? source.backup : last === "" ? wanted : last;
  const restored = running ? (before?.lastRestoredBackup ?? "") : "";
  const goesOn = running && before?.requestedBackupRestore === requestedBackupRestore && unrestored === undefined;
  return {
    backupVolume: backupVolumeName(source.volume, backupTargetName),
    requestedBackupRestore,
    currentState,
    lastRestoredBackup: goesOn ? requestedBackupRestore : restored,
  };
}

/**
 * checkAndFinishVolumeRestore of controller/volume_controller.go. A standby volume ends only when nobody wants it to follow,
 * when what its target has of it was read as last asked for, and when the newest backup there is the one that it has.
 *
 * @param backupVolume That of the volume's target; without one there is nothing to wait for.
 * @param isKnown Whether there is a Backup of this name.
 */
export function isRestoreFinished(
  { spec, status = {} }: Volume,
  restore: Restore | undefined,
  backupVolume: BackupVolume | undefined,
  isKnown: (backup: string) => boolean,
): boolean {
  const restored = restore?.lastRestoredBackup ?? "";
  if (restored === "" || restored !== restore?.requestedBackupRestore || spec.Standby === true) {
    return false;
  }
  if (status.isStandby !== true || backupVolume === undefined) {
    return true;
  }
  const last = backupVolume.status?.lastBackupName ?? "";
  return !isSyncOutstanding(backupVolume) && (last === "" || (last === restored && isKnown(last)));
}
