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
  /** Bytes of the volume. */
  readonly volumeSize: number;
  readonly storageClass: string;
  readonly labels: Labels;
}

/** Where backups lie. One outside the test process, such as a real S3, is used through the same four calls. */
export interface BackupStore {
  /** Whether Longhorn can reach it. */
  available(): Promise<boolean>;
  list(): Promise<readonly StoredBackup[]>;
  put(backup: StoredBackup): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Backups in memory: give it to the Longhorn of another cluster, and that cluster finds them. */
export class MemoryStore implements BackupStore {
  readonly backups = new Map<string, StoredBackup>();
  isAvailable = true;

  available(): Promise<boolean> {
    return Promise.resolve(this.isAvailable);
  }

  list(): Promise<readonly StoredBackup[]> {
    return Promise.resolve([...this.backups.values()]);
  }

  put(backup: StoredBackup): Promise<void> {
    this.backups.set(backup.name, backup);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.backups.delete(name);
    return Promise.resolve();
  }
}
