import type { Labels } from "./objects.ts";

/** One backup, as it lies in the bucket: what outlives the cluster. */
export interface StoredBackup {
  readonly name: string;
  /** The volume that it is of. */
  readonly volume: string;
  readonly snapshot: string;
  readonly snapshotCreatedAt: string;
  readonly createdAt: string;
  /** Bytes that are stored. */
  readonly size: number;
  /** Bytes that the store did not have before; `size` where that is not known. */
  readonly uploaded?: number;
  /** Bytes of the volume. */
  readonly volumeSize: number;
  readonly storageClass: string;
  readonly labels: Labels;
  /** Bytes of a block; 2 MiB where that is not known. */
  readonly blockSize?: number;
}

/** Where the backups of one target lie. */
export interface BackupStore {
  /** Why Longhorn cannot reach it; undefined where it can. */
  trouble(): Promise<string | undefined>;
  list(): Promise<readonly StoredBackup[]>;
  /** @returns the backup as it lies there now */
  put(backup: StoredBackup): Promise<StoredBackup>;
  remove(backup: StoredBackup): Promise<void>;
  /** Forgets a volume whose backups were all removed. */
  removeVolume(volume: string): Promise<void>;
}
