import { readCatalogue, type Catalogue } from "../../../infra/catalogue/catalogue.ts";
import type { BackupStore as Place } from "../../fixtures/backup-store.ts";
import type { BackupStore, StoredBackup } from "./backup-store.ts";

/**
 * What lies in a real bucket, for the simulated Longhorn to restore from: of each volume the backup that would be taken.
 * It is read once. Nothing may be written or deleted there: a restore has no business to.
 */
export class CatalogueStore implements BackupStore {
  readonly #place: Place;
  #catalogue: Promise<Catalogue> | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  available(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async list(): Promise<readonly StoredBackup[]> {
    const { volumes } = await (this.#catalogue ??= readCatalogue(this.#place));
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

  put({ name }: StoredBackup): Promise<void> {
    return Promise.reject(new Error(`the backup ${name} was made during a restore`));
  }

  remove(name: string): Promise<void> {
    return Promise.reject(new Error(`the backup ${name} was deleted during a restore`));
  }
}
