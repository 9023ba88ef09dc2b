import { parse } from "yaml";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { Failure } from "../../errors/failure.ts";
import type { BackupStore, StoredBackup } from "./backup-store.ts";
import { finalizer, isBeingDeleted, isOnlyObject, type LonghornApi } from "./longhorn-api.ts";
import type { Backup, BackupTarget, BackupVolume, Labels, Stored } from "./objects.ts";
import {
  backupVolumeName,
  backupVolumeStatus,
  completedStatus,
  defaultTarget,
  goneBackups,
  isAvailable,
  isTargetDue,
  isVolumeDue,
  targetLabels,
  targetStatus,
} from "./targets.ts";
import { now } from "./time.ts";

/** What was found in a store, and since when it can be out of date. */
interface Look {
  readonly at: string;
  readonly stored: readonly StoredBackup[];
}

const inNamespace = `/api/v1/namespaces/${platformNamespaces.longhorn}`;

/** Milliseconds for which a target is left alone that cannot be reached. */
const restAfterTrouble = 10_000;

/** Where a target's backups lie; undefined where that cannot be said. */
export type StoreOf = (target: BackupTarget) => Promise<BackupStore | undefined>;

interface TargetObjects {
  /** Of one target. */
  readonly volumes: readonly BackupVolume[];
  /** Of all targets. */
  readonly backups: readonly Backup[];
}

/**
 * BackupTargets, and for everything in their stores BackupVolumes and Backups (controller/backup_target_controller.go and
 * backup_volume_controller.go). A target is read when it appears, when its `pollInterval` has passed, when a backup to it was made, and when `syncRequestedAt` of the target or of a BackupVolume
 * asks for it: whoever waits for something new in it has to ask.
 */
export class BackupTargets {
  readonly #longhorn: LonghornApi;
  readonly #storeOf: StoreOf;
  readonly #alwaysRead: ReadonlySet<string>;
  /** Milliseconds since 1970 at which targets that cannot be reached were tried last. */
  readonly #troubled = new Map<string, number>();
  /** Targets that a backup was made to. */
  readonly #asked = new Set<string>();

  /** @param alwaysRead Names of targets that are read at every step, whatever their interval. */
  constructor(longhorn: LonghornApi, storeOf: StoreOf, alwaysRead: readonly string[] = []) {
    this.#longhorn = longhorn;
    this.#storeOf = storeOf;
    this.#alwaysRead = new Set(alwaysRead);
  }

  async step(): Promise<void> {
    await this.#declareDefault();
    for (const target of await this.#longhorn.list<BackupTarget>("BackupTarget")) {
      await this.#stepOf(target);
    }
    await this.#deletions();
  }

  /** Puts a backup into its target's store, which is read again then (syncBackupVolume of controller/backup_controller.go). */
  async put(target: BackupTarget, backup: StoredBackup): Promise<StoredBackup> {
    const store = await this.#storeOf(target);
    if (store === undefined) {
      throw new Failure(`the backup target ${target.metadata.name} has no store`);
    }
    const stored = await store.put(backup);
    this.#asked.add(target.metadata.name);
    return stored;
  }

  /** BackupTarget `default`, from the ConfigMap that the chart writes. */
  async #declareDefault(): Promise<void> {
    const map = await this.#longhorn.api.get<Stored & { readonly data?: Labels }>(
      `${inNamespace}/configmaps/longhorn-default-resource`,
    );
    const settings = parse(map?.data?.["default-resource.yaml"] ?? "") as Labels | null;
    const url = settings?.["backup-target"] ?? "";
    if (url !== "") {
      await this.#longhorn.apply("BackupTarget", defaultTarget, {
        spec: {
          backupTargetURL: url,
          credentialSecret: settings?.["backup-target-credential-secret"] ?? "",
          pollInterval: "5m0s",
        },
      });
    }
  }

  /** One target: its deletion, else its availability first and what is in it one step later. */
  async #stepOf(target: BackupTarget): Promise<void> {
    const { name, uid, finalizers = [] } = target.metadata;
    const { backupTargetURL = "", credentialSecret = "" } = target.spec;
    if (isBeingDeleted(target)) {
      await this.#forget(name);
      await this.#longhorn.letGo("BackupTarget", target);
      return;
    }
    if (name !== defaultTarget && !finalizers.includes(finalizer)) {
      // Its webhook's part.
      await this.#longhorn.apply("BackupTarget", name, { metadata: { uid, finalizers: [finalizer] } });
    }
    if (backupTargetURL === "") {
      await this.#longhorn.applyStatus("BackupTarget", name, targetStatus("backup target URL is empty", null));
      await this.#forget(name);
      return;
    }
    const secret = `${inNamespace}/secrets/${credentialSecret}`;
    if (name !== defaultTarget && (credentialSecret === "" || (await this.#longhorn.api.get(secret)) === undefined)) {
      // newBackupTargetClient fails, and the status stays as it is.
      return;
    }
    const rests = Date.now() - (this.#troubled.get(name) ?? 0) < restAfterTrouble;
    if (this.#alwaysRead.has(name) || (!rests && (this.#asked.has(name) || isTargetDue(target, now())))) {
      await this.#read(target);
    } else if (isAvailable(target)) {
      const objects = await this.#objectsOf(name);
      const due = objects.volumes.filter((volume) => !isBeingDeleted(volume) && isVolumeDue(volume));
      if (due.length > 0) {
        const looked = await look(await this.#storeOf(target));
        for (const { spec } of due) {
          await this.#mirror(target, spec.volumeName ?? "", looked, objects);
        }
      }
    }
  }

  /** Everything in a store; away with those of its objects that are no longer in it. */
  async #read(target: BackupTarget): Promise<void> {
    const { name } = target.metadata;
    const store = await this.#storeOf(target);
    const reason = store === undefined ? "there is no store for it" : await store.trouble();
    if (reason === undefined) {
      this.#troubled.delete(name);
    } else {
      this.#troubled.set(name, Date.now());
    }
    const trouble =
      reason === undefined
        ? undefined
        : `failed to list system backups in ${target.spec.backupTargetURL ?? ""}: ${reason}`;
    const synced = target.status?.lastSyncedAt ?? null;
    if (store === undefined || trouble !== undefined || target.status?.available !== true) {
      await this.#longhorn.applyStatus("BackupTarget", name, targetStatus(trouble, synced));
      return;
    }
    const looked = await look(store);
    const objects = await this.#objectsOf(name);
    const volumes = new Set(looked.stored.map(({ volume }) => volume));
    for (const volume of volumes) {
      await this.#mirror(target, volume, looked, objects);
    }
    for (const volume of objects.volumes) {
      if (!volumes.has(volume.spec.volumeName ?? "") && !isBeingDeleted(volume)) {
        await this.#longhorn.deleteOnlyObject("BackupVolume", volume);
      }
    }
    await this.#longhorn.applyStatus("BackupTarget", name, targetStatus(undefined, looked.at));
    this.#asked.delete(name);
  }

  /** The BackupVolume and the Backups of one volume, as a store has them. */
  async #mirror(
    target: BackupTarget,
    volume: string,
    { at, stored }: Look,
    { volumes, backups }: TargetObjects,
  ): Promise<void> {
    const longhorn = this.#longhorn;
    const targetName = target.metadata.name;
    const own = stored.filter((backup) => backup.volume === volume);
    const name = backupVolumeName(volume, targetName);
    const known = volumes.find(({ metadata }) => metadata.name === name);
    if (own.length === 0 || (known !== undefined && isBeingDeleted(known))) {
      return;
    }
    const metadata = { labels: targetLabels(targetName, volume), finalizers: [finalizer] };
    if (known === undefined) {
      await longhorn.apply("BackupVolume", name, {
        metadata,
        spec: { backupTargetName: targetName, volumeName: volume },
      });
    }
    // A backup's object has its name alone: of two targets with a backup of the same name, the first has the object.
    for (const backup of own.filter(
      (candidate) => !backups.some(({ metadata: { name } }) => name === candidate.name),
    )) {
      await longhorn.apply("Backup", backup.name, {
        metadata,
        spec: { labels: {}, backupBlockSize: String(backup.blockSize ?? 2 * 1024 ** 2) },
      });
      await longhorn.applyStatus("Backup", backup.name, completedStatus(backup, target, now()));
    }
    for (const gone of goneBackups(backups.filter(isOf(targetName, volume)), own)) {
      await longhorn.deleteOnlyObject("Backup", gone);
    }
    await longhorn.applyStatus("BackupVolume", name, backupVolumeStatus(own, at));
  }

  /** cleanUpAllBackupRelatedResources: what stands for a target's backups goes, and the backups stay. */
  async #forget(target: string): Promise<void> {
    for (const volume of (await this.#objectsOf(target)).volumes) {
      if (!isBeingDeleted(volume)) {
        await this.#longhorn.deleteOnlyObject("BackupVolume", volume);
      }
    }
  }

  /**
   * What is being deleted goes from the store too, unless a label says that only the object is meant or the target is not
   * there (checkIfRemoteDataCleanupIsNeeded of controller/utils.go).
   */
  async #deletions(): Promise<void> {
    const longhorn = this.#longhorn;
    const [targets, volumes, backups] = await Promise.all([
      longhorn.list<BackupTarget>("BackupTarget"),
      longhorn.list<BackupVolume>("BackupVolume"),
      longhorn.list<Backup>("Backup"),
    ]);
    const storeOf = async (object: Stored, name: string): Promise<BackupStore | undefined> => {
      const target = targets.find(({ metadata }) => metadata.name === name);
      return !isOnlyObject(object) && isAvailable(target) ? this.#storeOf(target) : undefined;
    };
    for (const volume of volumes.filter(isBeingDeleted)) {
      const { backupTargetName: target = "", volumeName = "" } = volume.spec;
      const store = await storeOf(volume, target);
      for (const stored of ((await store?.list()) ?? []).filter((stored) => stored.volume === volumeName)) {
        await store?.remove(stored);
      }
      await store?.removeVolume(volumeName);
      // Kubernetes' garbage collector would delete them: they belong to their BackupVolume.
      for (const backup of backups.filter(isOf(target, volumeName))) {
        if (!isBeingDeleted(backup)) {
          await longhorn.deleteOnlyObject("Backup", backup);
        }
      }
      await longhorn.letGo("BackupVolume", volume);
    }
    for (const backup of backups.filter(isBeingDeleted)) {
      const { "backup-target": target = "", "backup-volume": volumeName = "" } = backup.metadata.labels ?? {};
      const volume = volumes.find(({ metadata }) => metadata.name === backupVolumeName(volumeName, target));
      if (volume !== undefined && !isBeingDeleted(volume)) {
        const store = await storeOf(backup, target);
        const { name } = backup.metadata;
        const stored = (await store?.list())?.find((found) => found.name === name && found.volume === volumeName);
        if (stored !== undefined) {
          await store?.remove(stored);
        }
      }
      await longhorn.letGo("Backup", backup);
    }
  }

  async #objectsOf(target: string): Promise<TargetObjects> {
    const [volumes, backups] = await Promise.all([
      this.#longhorn.list<BackupVolume>("BackupVolume"),
      this.#longhorn.list<Backup>("Backup"),
    ]);
    return { volumes: volumes.filter(({ spec }) => spec.backupTargetName === target), backups };
  }
}

/**
 * What a target's store has. Its time is from before the look, as in Longhorn: what comes into the store meanwhile, and is
 * asked for after it, is looked for again.
 */
async function look(store: BackupStore | undefined): Promise<Look> {
  const at = now();
  return { at, stored: (await store?.list()) ?? [] };
}

function isOf(target: string, volume: string): (backup: Backup) => boolean {
  return ({ metadata: { labels = {} } }) => labels["backup-target"] === target && labels["backup-volume"] === volume;
}
