import type { BackupStore, StoredBackup } from "../../../local/longhorn/backup-store.ts";

/** Backups in memory: give it to the Longhorn of another cluster, and that cluster finds them. */
export class MemoryStore implements BackupStore {
  readonly backups = new Map<string, StoredBackup>();
  isAvailable = true;

  trouble(): Promise<string | undefined> {
    return Promise.resolve(this.isAvailable ? undefined : "the simulated store does not answer");
  }

  list(): Promise<readonly StoredBackup[]> {
    return Promise.resolve([...this.backups.values()]);
  }

  put(backup: StoredBackup): Promise<StoredBackup> {
    this.backups.set(backup.name, backup);
    return Promise.resolve(backup);
  }

  remove({ name }: StoredBackup): Promise<void> {
    this.backups.delete(name);
    return Promise.resolve();
  }

  removeVolume(): Promise<void> {
    return Promise.resolve();
  }
}
