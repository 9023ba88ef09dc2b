import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../errors/failure.ts";
import type { StoredBackup } from "./backup-store.ts";
import type { BackupTargets } from "./backup-targets.ts";
import type { Disks } from "./disks.ts";
import { finalizer, isBeingDeleted, type LonghornApi } from "./longhorn-api.ts";
import { forEachOf } from "./longhorn-stand-in.ts";
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

/** Milliseconds that a step waits for an upload, so that one that takes no time is seen at once. */
const uploadPatience = 20;

/** A backup that is being written into its store. */
class Upload {
  failure: string | undefined;
  #stored: StoredBackup | undefined;
  readonly #done: Promise<void>;

  constructor(upload: Promise<StoredBackup>) {
    this.#done = upload.then(
      (stored) => {
        this.#stored = stored;
      },
      (error: unknown) => {
        this.failure = messageOf(error);
      },
    );
  }

  /** The backup once it lies in the store; undefined where it does not within so many milliseconds. */
  async after(patience: number): Promise<StoredBackup | undefined> {
    await Promise.race([this.#done, sleep(patience)]);
    return this.#stored;
  }
}

/** Snapshots, and backups of this cluster's volumes. */
export class Backups {
  readonly #longhorn: LonghornApi;
  readonly #targets: BackupTargets;
  readonly #disks: Disks;
  /** Those under way, by the UID of their Backup. One that failed is kept until its Backup says so. */
  readonly #uploads = new Map<string, Upload>();

  constructor(longhorn: LonghornApi, targets: BackupTargets, disks: Disks) {
    this.#longhorn = longhorn;
    this.#targets = targets;
    this.#disks = disks;
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
    await forEachOf(backups, async (backup) => {
      const unfinished = (backup.status?.lastSyncedAt ?? null) === null && (backup.spec.snapshotName ?? "") !== "";
      if (unfinished && !isBeingDeleted(backup)) {
        await this.#stepOf(backup, { targets, snapshots, volumes, persistentVolumes });
      }
    });
  }

  async #stepOfSnapshots(): Promise<void> {
    const longhorn = this.#longhorn;
    // In this order, so that no snapshot is taken for one of a volume that never was.
    const snapshots = await longhorn.list<Snapshot>("Snapshot");
    const volumes = await longhorn.list<Volume>("Volume");
    await forEachOf(snapshots, async (snapshot) => {
      const { name } = snapshot.metadata;
      const volume = volumes.find(({ metadata }) => metadata.name === snapshot.spec.volume);
      const wanted = snapshot.status?.readyToUse !== true && snapshot.spec.createSnapshot === true;
      if (isBeingDeleted(snapshot)) {
        await this.#disks.deleteSnapshot(snapshot.spec.volume, name);
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
        const taken = await this.#disks.snapshot(volume, name);
        await longhorn.applyStatus("Snapshot", name, {
          readyToUse: true,
          userCreated: true,
          creationTime: taken.createdAt,
          parent: "",
          children: { "volume-head": true },
          size: taken.size,
          restoreSize: Number(volume.spec.size ?? 0),
          labels: snapshot.spec.labels ?? {},
        });
      }
    });
  }

  /**
   * controller/backup_controller.go: Pending until the snapshot is there, InProgress, then Completed or Error. It goes to
   * the target of its volume: one for another target, or for a target that is not available, Longhorn's webhook refuses
   * (webhook/resources/backup).
   */
  async #stepOf(backup: Backup, { targets, snapshots, volumes, persistentVolumes }: Cluster): Promise<void> {
    const longhorn = this.#longhorn;
    const { name, uid = "", labels = {} } = backup.metadata;
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
          : (this.#disks.backupTrouble(backup, volumeName) ?? this.#uploads.get(uid)?.failure);
    if (state === "") {
      await longhorn.apply("Backup", name, {
        metadata: { finalizers: [finalizer], labels: targetLabels(targetName, volumeName) },
      });
      await longhorn.applyStatus("Backup", name, { state: "Pending", volumeName });
    } else if (failure !== undefined) {
      await longhorn.applyStatus("Backup", name, { state: "Error", error: failure, volumeName, lastSyncedAt: now() });
      this.#uploads.delete(uid);
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
        blockSize: Number(volume?.spec.backupBlockSize ?? 2 * 1024 ** 2),
        labels: { "longhorn.io/volume-access-mode": volume?.spec.accessMode ?? "rwo", ...backup.spec.labels },
      };
      const upload = this.#uploads.get(uid) ?? new Upload(this.#targets.put(target, stored));
      this.#uploads.set(uid, upload);
      const there = await upload.after(uploadPatience);
      if (there !== undefined) {
        await longhorn.applyStatus("Backup", name, completedStatus(there, target, now()));
        this.#uploads.delete(uid);
      }
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
