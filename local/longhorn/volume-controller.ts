import { isDeepStrictEqual } from "node:util";
import type { Disks, Unrestored } from "./disks.ts";
import { engineName, nextRestore, type Restore, restoreOf } from "./engines.ts";
import { finalizer, isBeingDeleted, type LonghornApi } from "./longhorn-api.ts";
import { forEachOf } from "./longhorn-stand-in.ts";
import {
  type Backup,
  type BackupVolume,
  type Claim,
  type Engine,
  type PersistentVolume,
  type Pod,
  type Volume,
  type VolumeAttachment,
  volumeAttachments,
} from "./objects.ts";
import { backupOfUrl, backupVolumeName, defaultTarget } from "./targets.ts";
import { now } from "./time.ts";
import { nextVolumeStatus } from "./volumes.ts";

/** All that decides what becomes of volumes. */
interface Cluster {
  readonly persistentVolumes: readonly PersistentVolume[];
  readonly pods: readonly Pod[];
  readonly claims: readonly Claim[];
  readonly backups: readonly Backup[];
  readonly backupVolumes: readonly BackupVolume[];
  readonly engines: readonly Engine[];
  readonly attachments: readonly VolumeAttachment[];
}

/** Volumes, and an Engine for each that is from a backup. */
export class VolumeController {
  readonly #longhorn: LonghornApi;
  readonly #disks: Disks;
  readonly #follows: "attachments" | "pods";

  /** @param follows By what a volume is attached: VolumeAttachments that say so, or pods that use it. */
  constructor(longhorn: LonghornApi, disks: Disks, follows: "attachments" | "pods") {
    this.#longhorn = longhorn;
    this.#disks = disks;
    this.#follows = follows;
  }

  async step(): Promise<void> {
    const longhorn = this.#longhorn;
    // First: what a volume is from was there before it, and so is in every later list.
    const volumes = await longhorn.list<Volume>("Volume");
    const [persistentVolumes, pods, claims, backups, backupVolumes, engines, attachments] = await Promise.all([
      longhorn.api.list<PersistentVolume>("/api/v1/persistentvolumes"),
      longhorn.api.list<Pod>("/api/v1/pods"),
      longhorn.api.list<Claim>("/api/v1/persistentvolumeclaims"),
      longhorn.list<Backup>("Backup"),
      longhorn.list<BackupVolume>("BackupVolume"),
      longhorn.list<Engine>("Engine"),
      this.#follows === "pods" ? [] : longhorn.api.list<VolumeAttachment>(volumeAttachments),
    ]);
    const cluster = { persistentVolumes, pods, claims, backups, backupVolumes, engines, attachments };
    await forEachOf(volumes, (volume) => this.#stepOf(volume, cluster));
  }

  async #stepOf(volume: Volume, cluster: Cluster): Promise<void> {
    const { name, finalizers = [], labels = {} } = volume.metadata;
    const { fromBackup = "", backupTargetName = defaultTarget } = volume.spec;
    if (isBeingDeleted(volume)) {
      await this.#disks.delete(name);
      await this.#longhorn.delete("Engine", engineName(name));
      await this.#longhorn.letGo("Volume", volume);
      return;
    }
    const source = fromBackup === "" ? undefined : backupOfUrl(fromBackup);
    const backup = cluster.backups.find(
      ({ metadata, status }) => metadata.name === source?.backup && status?.state === "Completed",
    );
    if (!finalizers.includes(finalizer)) {
      if (source === undefined || backup !== undefined) {
        await this.#complete(volume, source, backup);
      }
      return;
    }
    if (labels["backup-target"] !== backupTargetName) {
      // Update of webhook/resources/volume/mutator.go: a volume may be given another target at any time.
      const metadata = { uid: volume.metadata.uid, labels: { "backup-target": backupTargetName } };
      await this.#longhorn.apply("Volume", name, { metadata }, "longhorn-webhook");
    }
    const engine = cluster.engines.find(({ metadata }) => metadata.name === engineName(name));
    const before = engine === undefined ? undefined : restoreOf(engine);
    if (source === undefined && volume.status?.state === undefined) {
      await this.#disks.create(volume);
    } else if (source === undefined || volume.status?.restoreRequired === false) {
      await this.#disks.grow(volume);
    }
    const unrestoredAt = async (at: Restore | undefined): Promise<Unrestored | undefined> =>
      at !== undefined && volume.status?.restoreRequired === true && volume.status.state === "attached"
        ? this.#disks.restore(volume, at.lastRestoredBackup, at.requestedBackupRestore)
        : undefined;
    const restore = nextRestore(before, volume, await unrestoredAt(before));
    if (restore !== undefined && !isDeepStrictEqual(restore, before)) {
      await this.#applyEngine(volume, restore);
    }
    const followed = volume.status?.restoreRequired === true ? (source?.volume ?? name) : name;
    const persistentVolume = cluster.persistentVolumes.find(({ spec }) => spec.csi?.volumeHandle === name);
    const attachment = cluster.attachments.find(
      ({ spec, status: { attached } = {} }) =>
        attached === true && spec.source.persistentVolumeName === persistentVolume?.metadata.name,
    );
    const status = nextVolumeStatus(volume, {
      now: now(),
      backup,
      restore,
      unrestored: await unrestoredAt(restore),
      persistentVolume,
      ...(this.#follows === "pods" ? {} : { attachedTo: attachment?.spec.nodeName ?? "" }),
      pods: cluster.pods,
      claims: cluster.claims,
      backupVolume: cluster.backupVolumes.find(
        (candidate) =>
          candidate.metadata.name === backupVolumeName(followed, backupTargetName) && !isBeingDeleted(candidate),
      ),
      isKnown: (wanted) => cluster.backups.some(({ metadata }) => metadata.name === wanted),
      newSize: this.#disks.newSize(volume),
      heldBytes: await this.#disks.heldBytes(volume),
    });
    if (!isDeepStrictEqual(status, volume.status ?? {})) {
      await this.#longhorn.applyStatus("Volume", name, status);
    }
  }

  async #applyEngine({ metadata, spec }: Volume, restore: Restore): Promise<void> {
    const { backupVolume, requestedBackupRestore, currentState, lastRestoredBackup } = restore;
    const name = engineName(metadata.name);
    await this.#longhorn.apply("Engine", name, {
      metadata: { labels: { longhornvolume: metadata.name } },
      spec: { volumeName: metadata.name, volumeSize: spec.size ?? "0", backupVolume, requestedBackupRestore },
    });
    await this.#longhorn.applyStatus("Engine", name, { currentState, lastRestoredBackup });
  }

  /**
   * What Longhorn's webhook fills in when a Volume is created (Create of webhook/resources/volume/mutator.go). Size and
   * target are those of the backup, whatever was asked for.
   */
  async #complete(
    { spec, metadata }: Volume,
    source: { readonly volume: string } | undefined,
    backup: Backup | undefined,
  ): Promise<void> {
    const backupTargetName = backup?.status?.backupTargetName ?? spec.backupTargetName ?? defaultTarget;
    const accessMode = backup?.status?.labels?.["longhorn.io/volume-access-mode"] ?? "rwo";
    await this.#longhorn.apply("Volume", metadata.name, {
      metadata: {
        uid: metadata.uid,
        finalizers: [finalizer],
        labels: {
          longhornvolume: metadata.name,
          "backup-target": backupTargetName,
          ...(source === undefined ? {} : { "backup-volume": source.volume }),
        },
      },
      spec: {
        image: "longhornio/longhorn-engine:simulated",
        // Whoever wrote the right name stays its only owner, and may write another one later.
        ...(spec.backupTargetName === backupTargetName ? {} : { backupTargetName }),
        ...(backup === undefined ? {} : { size: backup.status?.volumeSize ?? "0" }),
        ...(spec.accessMode === undefined || spec.accessMode === "" ? { accessMode } : {}),
        ...(spec.backupBlockSize === undefined ? { backupBlockSize: "2097152" } : {}),
      },
    });
  }
}
