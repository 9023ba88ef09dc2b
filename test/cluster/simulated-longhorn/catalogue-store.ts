import { type Catalogue, readCatalogue } from "../../../infra/catalogue/catalogue.ts";
import { layoutOf } from "../../../infra/catalogue/layout.ts";
import { openStore } from "../../../infra/catalogue/store.ts";
import type { BackupStore, StoredBackup } from "../../../local/longhorn/backup-store.ts";
import type { BackupStore as Place } from "../../fixtures/backup-store.ts";

/**
 * What lies in a real bucket, for the simulated Longhorn to restore from: of each volume the backup that would be taken.
 * Nothing may be written or deleted there: neither a restore nor a volume that follows has any business to.
 */
export class CatalogueStore implements BackupStore {
  readonly #place: Place;
  readonly #anew: boolean;
  #once: Promise<Catalogue> | undefined;
  #misuse: Error | undefined;
  /** Every backup that was ever there, by name. */
  readonly #seen = new Map<string, StoredBackup>();

  /**
   * @param anew Whether the bucket is read at every sync, for a test that writes into it meanwhile; once by default. A
   *   backup that was seen stays known beside its successors, as long as it is in the bucket.
   */
  constructor(place: Place, { anew = false }: { readonly anew?: boolean } = {}) {
    this.#place = place;
    this.#anew = anew;
  }

  trouble(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async list(): Promise<readonly StoredBackup[]> {
    if (this.#misuse !== undefined) {
      // The Backup has failed, and the test must too.
      throw this.#misuse;
    }
    if (!this.#anew) {
      return storedIn(await (this.#once ??= readCatalogue(this.#place)));
    }
    const newest = storedIn(await readCatalogue(this.#place));
    await this.#forgetAllBut(newest);
    for (const backup of newest) {
      this.#seen.set(backup.name, backup);
    }
    return [...this.#seen.values()];
  }

  put({ name }: StoredBackup): Promise<StoredBackup> {
    this.#misuse = new Error(`the backup ${name} was made to a store that is only read`);
    return Promise.reject(this.#misuse);
  }

  remove({ name }: StoredBackup): Promise<void> {
    return Promise.reject(new Error(`the backup ${name} was deleted from a store that is only read`));
  }

  removeVolume(volume: string): Promise<void> {
    return Promise.reject(new Error(`the volume ${volume} was deleted from a store that is only read`));
  }

  /** Forgets backups that are no longer in the bucket. */
  async #forgetAllBut(newest: readonly StoredBackup[]): Promise<void> {
    const there = new Set(newest.map(({ name }) => name));
    const older = [...this.#seen.values()].filter(({ name }) => !there.has(name));
    if (older.length === 0) {
      return;
    }
    const layout = layoutOf(this.#place.prefix);
    const reader = await openStore(this.#place);
    try {
      for (const { name, volume } of older) {
        if ((await reader.objects(layout.backupKey(volume, name))).length === 0) {
          this.#seen.delete(name);
        }
      }
    } finally {
      reader.close();
    }
  }
}

function storedIn({ volumes }: Catalogue): readonly StoredBackup[] {
  return volumes.map(({ volume, namespace, claim, sizeBytes, storageClass, accessMode, backup }) => ({
    name: backup.name,
    volume,
    snapshot: `snapshot-of-${backup.name}`,
    snapshotCreatedAt: backup.created,
    createdAt: backup.created,
    size: backup.bytes,
    volumeSize: sizeBytes,
    storageClass,
    labels: {
      "longhorn.io/volume-access-mode": accessMode,
      KubernetesStatus: JSON.stringify({ pvName: volume, pvStatus: "Bound", namespace, pvcName: claim }),
    },
  }));
}
