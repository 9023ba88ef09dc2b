import { messageOf } from "../../errors/failure.ts";
import { type BackupStore as Place, openStore } from "../../infra/catalogue/store.ts";
import type { BackupStore, StoredBackup } from "./backup-store.ts";
import { runBackupStore } from "./backup-store-tool.ts";
import type { DisksClient } from "./disks-client.ts";
import type { BackupTarget } from "./objects.ts";

/** Milliseconds that the bucket has to answer whether it is there. */
const patience = 5000;

/** A bucket with real backups of real volumes, written and read by Longhorn's own library. */
export class BucketStore implements BackupStore {
  readonly #executable: string;
  readonly #place: Place;
  readonly #disks: DisksClient;

  /** @param executable Path of the program `backup-store`. */
  constructor(executable: string, place: Place, disks: DisksClient) {
    this.#executable = executable;
    this.#place = place;
    this.#disks = disks;
  }

  async trouble(): Promise<string | undefined> {
    const reader = await openStore(this.#place, patience);
    try {
      await reader.folders(`${this.#place.prefix}/`);
      return undefined;
    } catch (error) {
      return messageOf(error);
    } finally {
      reader.close();
    }
  }

  async list(): Promise<readonly StoredBackup[]> {
    return (await this.#run(["list"])) as unknown as StoredBackup[];
  }

  /** Writes the blocks of a snapshot that the store does not have yet. */
  async put(backup: StoredBackup): Promise<StoredBackup> {
    const { name, volume, snapshot, snapshotCreatedAt, volumeSize, storageClass, labels, blockSize } = backup;
    const disk = await this.#disks.get(volume);
    if (disk === undefined) {
      throw new Error(`volume ${volume} has no disk`);
    }
    const [made] = await this.#run(
      ["backup"],
      JSON.stringify({
        name,
        volume,
        size: volumeSize,
        storageClass,
        compression: "lz4",
        blockSize: blockSize ?? 2 * 1024 ** 2,
        labels,
        snapshot,
        snapshotCreated: snapshotCreatedAt,
        folder: disk.folder,
      }),
    );
    if (made === undefined) {
      throw new Error(`backup-store made the backup ${name} and did not say so`);
    }
    return made as unknown as StoredBackup;
  }

  async remove({ name, volume }: StoredBackup): Promise<void> {
    await this.#run(["remove", `--volume=${volume}`, `--backup=${name}`]);
  }

  async removeVolume(volume: string): Promise<void> {
    await this.#run(["remove-volume", `--volume=${volume}`]);
  }

  /** Restores a backup into a file. */
  async restore(volume: string, backup: string, file: string): Promise<void> {
    await this.#run(["restore", `--volume=${volume}`, `--backup=${backup}`, `--file=${file}`]);
  }

  #run(command: readonly string[], input?: string): Promise<Record<string, unknown>[]> {
    return runBackupStore(this.#executable, this.#place, command, input);
  }
}

/**
 * Where a target's backups are, from its URL and its secret, which Longhorn reads alike: `s3://bucket@region/prefix/`, and
 * the keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINTS.
 *
 * @param secret What the secret has, decoded.
 * @param endpoint In the place of AWS_ENDPOINTS, where the server is reached elsewhere from here.
 * @returns undefined where the target or the secret is incomplete
 */
export function placeOf(
  { spec }: Pick<BackupTarget, "spec">,
  secret: Readonly<Record<string, string>>,
  endpoint = secret["AWS_ENDPOINTS"],
): Place | undefined {
  const url = URL.canParse(spec.backupTargetURL ?? "") ? new URL(spec.backupTargetURL ?? "") : undefined;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = secret;
  return url?.protocol !== "s3:" || endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined
    ? undefined
    : {
        endpoint,
        region: url.host,
        bucket: url.username,
        prefix: url.pathname.replace(/^\/+|\/+$/g, ""),
        accessKeyId,
        secretAccessKey,
      };
}
