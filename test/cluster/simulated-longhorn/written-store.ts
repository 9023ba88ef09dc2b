import { setTimeout as sleep } from "node:timers/promises";
import type { BackupStore, StoredBackup } from "../../../local/longhorn/backup-store.ts";
import { now } from "../../../local/longhorn/time.ts";
import type { Tools } from "../../../local/toolchain/ready.ts";
import {
  type BackupSpec,
  type BackupStore as Place,
  type KubernetesStatus,
  writeBackups,
} from "../../fixtures/backup-store.ts";

/** Blocks that a volume of these tests has room for at least. */
const blocks = 16;

/**
 * A real bucket that the simulated Longhorn backs up to: each of its backups is written there by Longhorn's own library.
 * What was there before it is not known to it.
 */
export class WrittenStore implements BackupStore {
  /** One upload that takes four seconds longer: the next one, or one that has begun; undefined where there is none. */
  slow: "next" | "now" | undefined;
  readonly #tools: Tools;
  readonly #place: Place;
  readonly #made = new Map<string, StoredBackup>();

  constructor(tools: Tools, place: Place) {
    this.#tools = tools;
    this.#place = place;
  }

  trouble(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  list(): Promise<readonly StoredBackup[]> {
    return Promise.resolve([...this.#made.values()]);
  }

  async put(backup: StoredBackup): Promise<StoredBackup> {
    const { name, volume, snapshot, volumeSize, storageClass, labels } = backup;
    const isSlow = this.slow === "next";
    if (isSlow) {
      this.slow = "now";
      await sleep(4000);
    }
    // A backup is of the moment when its upload ends.
    const createdAt = now();
    const before = [...this.#made.values()].filter((made) => made.volume === volume);
    const specs = [...before, { name, snapshot, createdAt }].map((made, index): BackupSpec => ({
      name: made.name,
      snapshot: made.snapshot,
      created: made.createdAt,
      // Of each one block more than of those before, so that every one of them is told from all others.
      blocks: [0, 1 + (index % (blocks - 1))],
    }));
    await writeBackups(this.#tools, this.#place, [
      {
        name: volume,
        size: volumeSize,
        storageClass,
        compression: "lz4",
        accessMode: "rwo",
        kubernetesStatus: JSON.parse(labels["KubernetesStatus"] ?? "null") as KubernetesStatus | null,
        backups: specs,
      },
    ]);
    const made = { ...backup, createdAt };
    this.#made.set(name, made);
    if (isSlow) {
      this.slow = undefined;
    }
    return made;
  }

  remove({ name }: StoredBackup): Promise<void> {
    return Promise.reject(new Error(`the backup ${name} was deleted, and nothing here should do that`));
  }

  removeVolume(volume: string): Promise<void> {
    return Promise.reject(new Error(`the volume ${volume} was deleted, and nothing here should do that`));
  }
}
