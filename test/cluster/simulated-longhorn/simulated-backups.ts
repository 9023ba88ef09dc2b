import type { StoredBackup } from "./backup-store.ts";
import type { BackupTargets } from "./backup-targets.ts";
import type { Faults } from "./faults.ts";
import { finalizer, isBeingDeleted, type LonghornApi } from "./longhorn-api.ts";
import type { Backup, BackupTarget, PersistentVolume, Snapshot, Volume } from "./objects.ts";
import { completedStatus, defaultTarget, isAvailable, targetLabels } from "./targets.ts";
import { now } from "./time.ts";

/** All that decides what becomes of backups. */
interface Cluster {
  readonly targets: readonly BackupTarget[];
  readonly snapshots: readonly Snapshot[];
  readonly volumes: readonly Volume[];
  readonly persistentVolumes: readonly (PersistentVolume & { readonly spec: { readonly storageClassName?: string } })[];
}

/** Snapshots, and backups of this cluster's volumes. */
export class SimulatedBackups {
  readonly #longhorn: LonghornApi;
  readonly #targets: BackupTargets;
  readonly #faults: Faults;

  constructor(longhorn: LonghornApi, targets: BackupTargets, faults: Faults) {
    this.#longhorn = longhorn;
    this.#targets = targets;
    this.#faults = faults;
  }

  async step(): Promise<void> {
    await this.#stepOfSnapshots();
    const longhorn = this.#longhorn;
    // First: what a backup is of was there before it, and so is in every later list.
    const backups = await longhorn.list<Backup>("Backup");
    const [targets, snapshots, volumes, persistentVolumes] = await Promise.all([
      longhorn.list<BackupTarget>("BackupTarget"),
      longhorn.list<Snapshot>("Snapshot"),
      longhorn.list<Volume>("Volume"),
      longhorn.api.list<Cluster["persistentVolumes"][number]>("/api/v1/persistentvolumes"),
    ]);
    for (const backup of backups) {
      const unfinished = (backup.status?.lastSyncedAt ?? null) === null && (backup.spec.snapshotName ?? "") !== "";
      if (unfinished && !isBeingDeleted(backup)) {
        await this.#stepOf(backup, { targets, snapshots, volumes, persistentVolumes });
      }
    }
  }

  async #stepOfSnapshots(): Promise<void> {
    const longhorn = this.#longhorn;
    // In this order, so that no snapshot is taken for one of a volume that never was.
    const snapshots = await longhorn.list<Snapshot>("Snapshot");
    const volumes = await longhorn.list<Volume>("Volume");
    for (const snapshot of snapshots) {
      const { name } = snapshot.metadata;
      const volume = volumes.find(({ metadata }) => metadata.name === snapshot.spec.volume);
      const wanted = snapshot.status?.readyToUse !== true && snapshot.spec.createSnapshot === true;
      if (isBeingDeleted(snapshot)) {
        await longhorn.letGo("Snapshot", snapshot);
      } else if (volume === undefined) {
        // Longhorn deletes the snapshots of a volume with it; one of a volume that never was, its webhook refuses.
        await longhorn.delete("Snapshot", name);
      } else if (wanted && volume.status?.isStandby === true) {
        const error = refusal("snapshot", volume);
        if (snapshot.status?.error !== error) {
          await longhorn.applyStatus("Snapshot", name, { readyToUse: false, error });
        }
      } else if (wanted) {
        await longhorn.apply("Snapshot", name, {
          metadata: { finalizers: [finalizer], labels: { longhornvolume: snapshot.spec.volume } },
          spec: { volume: snapshot.spec.volume },
        });
        await longhorn.applyStatus("Snapshot", name, {
          readyToUse: true,
          userCreated: true,
          creationTime: now(),
          parent: "",
          children: { "volume-head": true },
          size: volume.status?.actualSize ?? 0,
          restoreSize: Number(volume.spec.size ?? 0),
          labels: snapshot.spec.labels ?? {},
        });
      }
    }
  }

  /**
   * controller/backup_controller.go: Pending until the snapshot is there, InProgress, then Completed or Error. It goes to
   * the target of its volume: one for another target, or for a target that is not available, Longhorn's webhook refuses
   * (webhook/resources/backup).
   */
  async #stepOf(backup: Backup, { targets, snapshots, volumes, persistentVolumes }: Cluster): Promise<void> {
    const longhorn = this.#longhorn;
    const { name, labels = {} } = backup.metadata;
    const snapshot = snapshots.find(({ metadata }) => metadata.name === backup.spec.snapshotName);
    const volumeName = labels["backup-volume"] ?? snapshot?.spec.volume ?? "";
    const volume = volumes.find(({ metadata }) => metadata.name === volumeName);
    const ofVolume = volume?.spec.backupTargetName ?? defaultTarget;
    const targetName = labels["backup-target"] ?? ofVolume;
    const target = targets.find(({ metadata }) => metadata.name === targetName);
    const state = backup.status?.state ?? "";
    if (!isAvailable(target) || (state === "" && volume !== undefined && targetName !== ofVolume)) {
      return;
    }
    const failure =
      volume === undefined
        ? "cannot find the corresponding volume"
        : volume.status?.isStandby === true
          ? refusal("backup", volume)
          : this.#faults.backup?.(backup, volumeName);
    if (state === "") {
      await longhorn.apply("Backup", name, {
        metadata: { finalizers: [finalizer], labels: targetLabels(targetName, volumeName) },
      });
      await longhorn.applyStatus("Backup", name, { state: "Pending", volumeName });
    } else if (failure !== undefined) {
      await longhorn.applyStatus("Backup", name, { state: "Error", error: failure, volumeName, lastSyncedAt: now() });
    } else if (state === "Pending" && snapshot?.status?.readyToUse === true) {
      const snapshotCreatedAt = snapshot.status.creationTime ?? "";
      await longhorn.applyStatus("Backup", name, { state: "InProgress", volumeName, snapshotCreatedAt });
    } else if (state === "InProgress") {
      const persistentVolume = persistentVolumes.find(({ spec }) => spec.csi?.volumeHandle === volumeName);
      const stored: StoredBackup = {
        name,
        volume: volumeName,
        snapshot: backup.spec.snapshotName ?? "",
        snapshotCreatedAt: snapshot?.status?.creationTime ?? "",
        createdAt: now(),
        size: volume?.status?.actualSize ?? 0,
        volumeSize: Number(volume?.spec.size ?? 0),
        storageClass: persistentVolume?.spec.storageClassName ?? "",
        labels: { "longhorn.io/volume-access-mode": volume?.spec.accessMode ?? "rwo", ...backup.spec.labels },
      };
      await this.#targets.put(target, stored);
      await longhorn.applyStatus("Backup", name, completedStatus(stored, target, now()));
    }
  }
}

/**
 * What Longhorn's own API says (api/snapshot.go). Its webhooks let the objects pass, and what the engine of a standby volume
 * would make of them is not known here: nobody should count on more than a refusal.
 */
function refusal(what: "snapshot" | "backup", { metadata }: Volume): string {
  return `failed to create ${what} for standby volume ${metadata.name}`;
}
