import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { mebibytes } from "../../../components/plan/quantity.ts";
import { platformNamespaces } from "../../../components/plan/network/platform-policies.ts";
import { ApiError, type Api } from "../../../local/api.ts";
import { MemoryStore, type BackupStore, type StoredBackup } from "./backup-store.ts";
import {
  longhornApi,
  type Backup,
  type BackupVolume,
  type Claim,
  type Labels,
  type PersistentVolume,
  type Pod,
  type Snapshot,
  type StorageClass,
  type Stored,
  type Volume,
} from "./objects.ts";
import { backupOfUrl, nextVolumeStatus, type RestoreFault } from "./volumes.ts";

/** What goes wrong. Each may be set or taken away at any time. */
export interface Faults {
  /** How the restore of a volume goes wrong; undefined where it does not. */
  restore?: (volume: Volume) => RestoreFault | undefined;
  /** What Longhorn says to a backup that fails; undefined where it does not. */
  backup?: (backup: Backup, volume: string) => string | undefined;
}

export interface Options {
  /** Where backups lie, also those of another cluster; in memory by default. */
  readonly store?: BackupStore;
  /** Milliseconds between two steps of every object, 100 by default. */
  readonly interval?: number;
  /** Bytes that a new volume holds; 48 MiB for all by default. */
  readonly actualSize?: (volume: Volume) => number;
}

const namespace = platformNamespaces.longhorn;
const provisioner = "driver.longhorn.io";
/** Longhorn's own, on everything that it has to clean up after. */
const finalizer = "longhorn.io";

/**
 * A SIMULATED Longhorn: a loop in the test's process that does to the objects in an API server what longhorn-manager
 * 1.12 and the CSI provisioner do, as far as Kraft sees it. The embedded cluster has Longhorn's real CRDs and nothing
 * that runs; there is no data here, no volume can be mounted, and nothing in it proves that Longhorn itself works.
 *
 * It makes volumes for claims, restores volumes from backups, takes snapshots and backups, and keeps BackupVolumes and
 * Backups as the store has them. Deleting a Backup deletes it from the store, as Longhorn would. Field names and states
 * are those of longhorn-manager (k8s/pkg/apis/longhorn/v1beta2). Longhorn's webhooks are not here: what they refuse, such
 * as a Volume from a backup that nobody knows, stays without a status.
 */
export class SimulatedLonghorn {
  readonly faults: Faults = {};
  readonly store: BackupStore;
  readonly #api: Api;
  readonly #interval: number;
  readonly #actualSize: (volume: Volume) => number;
  #running: Promise<void> | undefined;
  #stopped = false;
  #trouble: unknown;

  constructor(api: Api, options: Options = {}) {
    this.#api = api;
    this.store = options.store ?? new MemoryStore();
    this.#interval = options.interval ?? 100;
    this.#actualSize = options.actualSize ?? (() => 48 * 1024 ** 2);
  }

  start(): void {
    this.#stopped = false;
    this.#running ??= this.#run();
  }

  /** @throws what the last step failed with, if it did */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#running = undefined;
    if (this.#trouble !== undefined) {
      throw new Error("the simulated Longhorn could not do its work", { cause: this.#trouble });
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.step();
        this.#trouble = undefined;
      } catch (error) {
        // A controller tries again: the object may have gone or changed meanwhile.
        this.#trouble = error;
      }
      await sleep(this.#interval);
    }
  }

  /** One step of every object. */
  async step(): Promise<void> {
    await this.#provision();
    const target = await this.#syncTarget();
    if (target !== undefined) {
      await this.#syncStore(target);
    }
    await this.#syncVolumes();
    await this.#syncSnapshots();
    if (target !== undefined) {
      await this.#syncBackups(target);
    }
  }

  /** The CSI provisioner: a Volume and a PersistentVolume for each claim without one, and away with what is to go. */
  async #provision(): Promise<void> {
    const api = this.#api;
    const [claims, classes, persistentVolumes] = await Promise.all([
      api.list<Claim>("/api/v1/persistentvolumeclaims"),
      api.list<StorageClass>("/apis/storage.k8s.io/v1/storageclasses"),
      api.list<PersistentVolume>("/api/v1/persistentvolumes"),
    ]);
    for (const claim of claims) {
      const storageClass = classes.find(({ metadata }) => metadata.name === claim.spec.storageClassName);
      const pending = (claim.spec.volumeName ?? "") === "" && claim.metadata.deletionTimestamp === undefined;
      const name = `pvc-${claim.metadata.uid ?? ""}`;
      const made = persistentVolumes.some(({ metadata }) => metadata.name === name);
      if (pending && !made && storageClass?.provisioner === provisioner) {
        await this.#provisionFor(claim, storageClass, name);
      }
    }
    for (const { metadata, spec, status } of persistentVolumes) {
      const ours = metadata.annotations?.["pv.kubernetes.io/provisioned-by"] === provisioner;
      if (
        ours &&
        status?.phase === "Released" &&
        spec.persistentVolumeReclaimPolicy === "Delete" &&
        metadata.deletionTimestamp === undefined
      ) {
        await this.#delete(`${longhornApi}/volumes/${spec.csi?.volumeHandle ?? ""}`);
        await this.#delete(`/api/v1/persistentvolumes/${metadata.name}`);
      }
    }
  }

  async #provisionFor(claim: Claim, storageClass: StorageClass, name: string): Promise<void> {
    const { name: claimName, namespace: claimNamespace = "", uid } = claim.metadata;
    const { storage } = claim.spec.resources.requests;
    const parameters = storageClass.parameters ?? {};
    const jobs = JSON.parse(parameters["recurringJobSelector"] ?? "[]") as { name: string; isGroup: boolean }[];
    await this.#create(`${longhornApi}/volumes`, {
      apiVersion: "longhorn.io/v1beta2",
      kind: "Volume",
      metadata: {
        name,
        namespace,
        labels: Object.fromEntries(
          jobs.map((job) => [`recurring-job${job.isGroup ? "-group" : ""}.longhorn.io/${job.name}`, "enabled"]),
        ),
      },
      spec: {
        size: String(mebibytes(storage) * 1024 ** 2),
        frontend: "blockdev",
        accessMode: claim.spec.accessModes.includes("ReadWriteMany") ? "rwx" : "rwo",
        numberOfReplicas: Number(parameters["numberOfReplicas"] ?? 2),
        staleReplicaTimeout: Number(parameters["staleReplicaTimeout"] ?? 2880),
        dataEngine: "v1",
        encrypted: parameters["encrypted"] === "true",
        backupTargetName: parameters["backupTargetName"] ?? "default",
      },
    });
    await this.#create("/api/v1/persistentvolumes", {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name, annotations: { "pv.kubernetes.io/provisioned-by": provisioner } },
      spec: {
        capacity: { storage },
        accessModes: claim.spec.accessModes,
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
        storageClassName: storageClass.metadata.name,
        volumeMode: claim.spec.volumeMode ?? "Filesystem",
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: claimNamespace, name: claimName, uid },
        csi: {
          driver: provisioner,
          volumeHandle: name,
          fsType: parameters["fsType"] ?? "ext4",
          volumeAttributes: { ...parameters, "storage.kubernetes.io/csiProvisionerIdentity": "simulated" },
        },
      },
    });
  }

  /** BackupTarget `default`, from the ConfigMap that the chart writes; its URL while it can be reached. */
  async #syncTarget(): Promise<string | undefined> {
    const path = `/api/v1/namespaces/${namespace}/configmaps/longhorn-default-resource`;
    const map = await this.#api.get<Stored & { readonly data?: Labels }>(path);
    const settings = parse(map?.data?.["default-resource.yaml"] ?? "") as Labels | null;
    const url = settings?.["backup-target"] ?? "";
    if (url === "") {
      return undefined;
    }
    await this.#apply("backuptargets", "BackupTarget", "default", {
      spec: {
        backupTargetURL: url,
        credentialSecret: settings?.["backup-target-credential-secret"] ?? "",
        pollInterval: "5m0s",
      },
    });
    const available = await this.store.available();
    await this.#applyStatus("backuptargets", "BackupTarget", "default", {
      available,
      lastSyncedAt: now(),
      conditions: [
        {
          type: "Unavailable",
          status: available ? "False" : "True",
          reason: available ? "" : "Unavailable",
          message: available ? "" : "failed to list backup volumes: the simulated store does not answer",
          lastProbeTime: "",
          lastTransitionTime: "",
        },
      ],
    });
    return available ? url : undefined;
  }

  /** BackupVolumes and Backups for everything in the store; away with those of the cluster that are not in it. */
  async #syncStore(target: string): Promise<void> {
    const stored = await this.store.list();
    const [backups, backupVolumes] = await Promise.all([
      this.#api.list<Backup>(`${longhornApi}/backups`),
      this.#api.list<BackupVolume>(`${longhornApi}/backupvolumes`),
    ]);
    for (const volume of new Set(stored.map((backup) => backup.volume))) {
      const own = stored.filter((backup) => backup.volume === volume).sort(bySnapshot);
      const last = own.at(-1);
      const name = backupVolumeName(volume);
      const labels = { "backup-target": "default", "backup-volume": volume };
      if (!backupVolumes.some(({ metadata }) => metadata.name === name)) {
        await this.#apply("backupvolumes", "BackupVolume", name, {
          metadata: { labels, finalizers: [finalizer] },
          spec: { backupTargetName: "default", volumeName: volume },
        });
      }
      await this.#applyStatus("backupvolumes", "BackupVolume", name, {
        lastBackupName: last?.name ?? "",
        lastBackupAt: last?.snapshotCreatedAt ?? "",
        lastSyncedAt: now(),
        size: String(last?.volumeSize ?? 0),
        createdAt: own[0]?.createdAt ?? "",
        dataStored: String(Math.max(...own.map(({ size }) => size))),
        storageClassName: last?.storageClass ?? "",
        labels: {},
      });
      for (const backup of own.filter(({ name: known }) => !backups.some(({ metadata }) => metadata.name === known))) {
        await this.#apply("backups", "Backup", backup.name, {
          metadata: { labels, finalizers: [finalizer] },
          spec: { labels: {}, backupBlockSize: "2097152" },
        });
        await this.#applyStatus("backups", "Backup", backup.name, completedStatus(backup, target));
      }
    }
    await this.#deletions(backups, backupVolumes, stored);
  }

  /** What is being deleted goes from the store too, unless a label says that only the object is meant. */
  async #deletions(
    backups: readonly Backup[],
    backupVolumes: readonly BackupVolume[],
    stored: readonly StoredBackup[],
  ): Promise<void> {
    const onlyObject = ({ metadata }: Stored): boolean =>
      metadata.labels?.["longhorn.io/delete-custom-resource-only"] !== undefined;
    for (const volume of backupVolumes.filter(isBeingDeleted)) {
      const own = stored.filter(({ volume: name }) => name === volume.spec.volumeName);
      await Promise.all(onlyObject(volume) ? [] : own.map(({ name }) => this.store.remove(name)));
      await this.#letGo("backupvolumes", "BackupVolume", volume);
    }
    for (const backup of backups.filter(isBeingDeleted)) {
      if (!onlyObject(backup)) {
        await this.store.remove(backup.metadata.name);
      }
      await this.#letGo("backups", "Backup", backup);
    }
  }

  async #syncVolumes(): Promise<void> {
    const api = this.#api;
    const [volumes, persistentVolumes, pods, claims, stored, classes] = await Promise.all([
      api.list<Volume>(`${longhornApi}/volumes`),
      api.list<PersistentVolume>("/api/v1/persistentvolumes"),
      api.list<Pod>("/api/v1/pods"),
      api.list<Claim>("/api/v1/persistentvolumeclaims"),
      this.store.list(),
      this.#api.list<BackupVolume>(`${longhornApi}/backupvolumes`),
    ]);
    for (const volume of volumes) {
      const { name } = volume.metadata;
      if (isBeingDeleted(volume)) {
        await this.#letGo("volumes", "Volume", volume);
        continue;
      }
      const source = (volume.spec.fromBackup ?? "") === "" ? undefined : backupOfUrl(volume.spec.fromBackup ?? "");
      const backup = stored.find((candidate) => candidate.name === source?.backup);
      if (!(volume.metadata.finalizers ?? []).includes(finalizer)) {
        await this.#complete(volume, source, backup);
      }
      const known = volume.status?.restoreRequired === true ? (source?.volume ?? name) : name;
      const last = stored
        .filter((candidate) => candidate.volume === known)
        .sort(bySnapshot)
        .at(-1);
      const synced = classes.some(({ spec, status }) => spec.volumeName === known && status?.lastBackupName !== "");
      const status = nextVolumeStatus(volume, {
        now: now(),
        backup,
        fault: this.faults.restore?.(volume),
        persistentVolume: persistentVolumes.find(({ spec }) => spec.csi?.volumeHandle === name),
        pods,
        claims,
        lastBackup: last === undefined || !synced ? undefined : { name: last.name, at: last.snapshotCreatedAt },
        actualSize: this.#actualSize(volume),
      });
      if (!isDeepStrictEqual(status, volume.status ?? {})) {
        await this.#applyStatus("volumes", "Volume", name, status);
      }
    }
  }

  /** What Longhorn's webhook fills in when a Volume is created; the size is that of the backup, whatever was asked for. */
  async #complete(
    volume: Volume,
    source: { readonly volume: string } | undefined,
    backup: StoredBackup | undefined,
  ): Promise<void> {
    const { spec, metadata } = volume;
    await this.#apply("volumes", "Volume", metadata.name, {
      metadata: {
        finalizers: [finalizer],
        labels: {
          longhornvolume: metadata.name,
          "backup-target": "default",
          ...(source === undefined ? {} : { "backup-volume": source.volume }),
        },
      },
      spec: {
        image: "longhornio/longhorn-engine:simulated",
        ...(backup === undefined ? {} : { size: String(backup.volumeSize) }),
        ...(spec.accessMode === undefined || spec.accessMode === "" ? { accessMode: "rwo" } : {}),
        ...(spec.backupBlockSize === undefined ? { backupBlockSize: "2097152" } : {}),
      },
    });
  }

  async #syncSnapshots(): Promise<void> {
    const [snapshots, volumes] = await Promise.all([
      this.#api.list<Snapshot>(`${longhornApi}/snapshots`),
      this.#api.list<Volume>(`${longhornApi}/volumes`),
    ]);
    for (const snapshot of snapshots) {
      const volume = volumes.find(({ metadata }) => metadata.name === snapshot.spec.volume);
      if (isBeingDeleted(snapshot)) {
        await this.#letGo("snapshots", "Snapshot", snapshot);
      } else if (volume === undefined) {
        // Longhorn deletes the snapshots of a volume with it; one of a volume that never was, its webhook refuses.
        await this.#delete(`${longhornApi}/snapshots/${snapshot.metadata.name}`);
      } else if (snapshot.status?.readyToUse !== true && snapshot.spec.createSnapshot === true) {
        await this.#apply("snapshots", "Snapshot", snapshot.metadata.name, {
          metadata: { finalizers: [finalizer], labels: { longhornvolume: snapshot.spec.volume } },
          spec: { volume: snapshot.spec.volume },
        });
        await this.#applyStatus("snapshots", "Snapshot", snapshot.metadata.name, {
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

  /** controller/backup_controller.go: Pending until the snapshot is there, InProgress, then Completed or Error. */
  async #syncBackups(target: string): Promise<void> {
    const [backups, snapshots, volumes, persistentVolumes] = await Promise.all([
      this.#api.list<Backup>(`${longhornApi}/backups`),
      this.#api.list<Snapshot>(`${longhornApi}/snapshots`),
      this.#api.list<Volume>(`${longhornApi}/volumes`),
      this.#api.list<PersistentVolume & { spec: { storageClassName?: string } }>("/api/v1/persistentvolumes"),
    ]);
    for (const backup of backups) {
      const { name, labels = {} } = backup.metadata;
      const snapshot = snapshots.find(({ metadata }) => metadata.name === backup.spec.snapshotName);
      const volumeName = labels["backup-volume"] ?? snapshot?.spec.volume ?? "";
      const volume = volumes.find(({ metadata }) => metadata.name === volumeName);
      const unfinished = (backup.status?.lastSyncedAt ?? null) === null && (backup.spec.snapshotName ?? "") !== "";
      if (!unfinished || isBeingDeleted(backup)) {
        continue;
      }
      const state = backup.status?.state ?? "";
      const failure =
        volume === undefined ? "cannot find the corresponding volume" : this.faults.backup?.(backup, volumeName);
      if (state === "") {
        await this.#apply("backups", "Backup", name, {
          metadata: {
            finalizers: [finalizer],
            labels: { "backup-volume": volumeName, "backup-target": "default" },
          },
        });
        await this.#applyStatus("backups", "Backup", name, { state: "Pending", volumeName });
      } else if (failure !== undefined) {
        await this.#applyStatus("backups", "Backup", name, {
          state: "Error",
          error: failure,
          volumeName,
          lastSyncedAt: now(),
        });
      } else if (state === "Pending" && snapshot?.status?.readyToUse === true) {
        const snapshotCreatedAt = snapshot.status.creationTime ?? "";
        await this.#applyStatus("backups", "Backup", name, { state: "InProgress", volumeName, snapshotCreatedAt });
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
        await this.store.put(stored);
        await this.#applyStatus("backups", "Backup", name, completedStatus(stored, target));
      }
    }
  }

  /** Creates an object, unless it is there. */
  async #create(collection: string, object: object): Promise<void> {
    try {
      await this.#api.create(collection, object);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409)) {
        throw error;
      }
    }
  }

  async #apply(
    plural: string,
    kind: string,
    name: string,
    { metadata, ...rest }: { readonly metadata?: object; readonly spec?: object },
  ): Promise<void> {
    await this.#api.apply(
      `${longhornApi}/${plural}/${name}`,
      { apiVersion: "longhorn.io/v1beta2", kind, metadata: { name, namespace, ...metadata }, ...rest },
      "longhorn-manager",
    );
  }

  async #applyStatus(plural: string, kind: string, name: string, status: object): Promise<void> {
    await this.#api.apply(
      `${longhornApi}/${plural}/${name}/status`,
      { apiVersion: "longhorn.io/v1beta2", kind, metadata: { name, namespace }, status },
      "longhorn-manager-status",
    );
  }

  /** Takes Longhorn's finalizer off what is being deleted, as it does when it has cleaned up. */
  async #letGo(plural: string, kind: string, { metadata }: Stored): Promise<void> {
    if ((metadata.finalizers ?? []).includes(finalizer)) {
      await this.#apply(plural, kind, metadata.name, { metadata: { uid: metadata.uid } });
    }
  }

  async #delete(path: string): Promise<void> {
    try {
      await this.#api.delete(path);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) {
        throw error;
      }
    }
  }
}

/** GetBackupVolumeNameFromVolumeName of types/types.go. */
export function backupVolumeName(volume: string): string {
  return `${volume}-${createHash("sha256").update(`${volume}-default`).digest("hex").slice(0, 8)}`;
}

function completedStatus(backup: StoredBackup, target: string): object {
  return {
    state: "Completed",
    progress: 100,
    url: `${target}?backup=${backup.name}&volume=${backup.volume}`,
    snapshotName: backup.snapshot,
    snapshotCreatedAt: backup.snapshotCreatedAt,
    backupCreatedAt: backup.createdAt,
    size: String(backup.size),
    volumeName: backup.volume,
    volumeSize: String(backup.volumeSize),
    labels: backup.labels,
    lastSyncedAt: now(),
    compressionMethod: "lz4",
    newlyUploadDataSize: String(backup.size),
    reUploadedDataSize: "0",
    backupTargetName: "default",
  };
}

function bySnapshot(a: StoredBackup, b: StoredBackup): number {
  return a.snapshotCreatedAt.localeCompare(b.snapshotCreatedAt) || a.name.localeCompare(b.name);
}

function isBeingDeleted({ metadata }: Stored): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** As Longhorn writes times: whole seconds in UTC. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
