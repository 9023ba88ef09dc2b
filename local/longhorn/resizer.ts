import { longhornDriver } from "../../cluster/longhorn.ts";
import type { DiskState } from "./disks-client.ts";
import type { LonghornApi } from "./longhorn-api.ts";
import { forEachOf } from "./longhorn-stand-in.ts";
import type { Claim, PersistentVolume, StorageClass, Volume } from "./objects.ts";
import { volumeBytes } from "./provisioner.ts";
import { bytesOf } from "./quantity.ts";
import type { RealDisks } from "./real-disks.ts";

const manager = "external-resizer";

/** Bytes by which a file system may be smaller than its disk: less than a block is not used. */
const slack = 64 * 1024;

/**
 * The CSI resizer: a claim that asks for more gets a larger Volume, then a larger PersistentVolume, and says so once its file
 * system has grown too. That takes a new attachment where the machine does not let a mounted file system grow.
 */
export class Resizer {
  readonly #longhorn: LonghornApi;
  readonly #disks: RealDisks;

  constructor(longhorn: LonghornApi, disks: RealDisks) {
    this.#longhorn = longhorn;
    this.#disks = disks;
  }

  async step(): Promise<void> {
    const { api } = this.#longhorn;
    const [claims, classes, persistentVolumes] = await Promise.all([
      api.list<Claim>("/api/v1/persistentvolumeclaims"),
      api.list<StorageClass>("/apis/storage.k8s.io/v1/storageclasses"),
      api.list<PersistentVolume>("/api/v1/persistentvolumes"),
    ]);
    const larger = claims.flatMap((claim) => {
      const persistentVolume = persistentVolumes.find(
        ({ metadata, spec }) =>
          metadata.name === claim.spec.volumeName &&
          spec.csi?.driver === longhornDriver &&
          spec.claimRef?.uid === claim.metadata.uid,
      );
      const storageClass = classes.find(({ metadata }) => metadata.name === claim.spec.storageClassName);
      return persistentVolume !== undefined &&
        storageClass?.allowVolumeExpansion === true &&
        (wantedBytes(claim) > bytes(persistentVolume.spec.capacity?.storage) ||
          bytes(claim.status?.capacity?.storage) < bytes(persistentVolume.spec.capacity?.storage))
        ? [{ claim, persistentVolume, storageClass }]
        : [];
    });
    if (larger.length === 0) {
      return;
    }
    const [volumes, states] = await Promise.all([this.#longhorn.list<Volume>("Volume"), this.#disks.states()]);
    await forEachOf(larger, ({ claim, persistentVolume, storageClass }) => {
      const handle = persistentVolume.spec.csi?.volumeHandle;
      const volume = volumes.find(({ metadata }) => metadata.name === handle);
      const disk = states.find(({ name }) => name === handle);
      return volume === undefined || disk === undefined
        ? Promise.resolve()
        : this.#resize(claim, persistentVolume, storageClass, volume, disk);
    });
  }

  async #resize(
    claim: Claim,
    persistentVolume: PersistentVolume,
    storageClass: StorageClass,
    volume: Volume,
    disk: DiskState,
  ): Promise<void> {
    const { api } = this.#longhorn;
    const { storage } = claim.spec.resources.requests;
    const size = volumeBytes(storage, storageClass.parameters ?? {});
    if (Number(volume.spec.size ?? 0) < size) {
      const { name, uid } = volume.metadata;
      await this.#longhorn.apply("Volume", name, { metadata: { uid }, spec: { size: String(size) } }, manager);
      return;
    }
    if (disk.size < size) {
      // The volume controller's turn.
      return;
    }
    if (bytes(persistentVolume.spec.capacity?.storage) < wantedBytes(claim)) {
      const { name, uid } = persistentVolume.metadata;
      await api.apply(
        `/api/v1/persistentvolumes/${name}`,
        { apiVersion: "v1", kind: "PersistentVolume", metadata: { name, uid }, spec: { capacity: { storage } } },
        manager,
      );
    }
    const { name, namespace = "" } = claim.metadata;
    const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}/status`;
    const isPending = claim.status?.conditions?.some(({ type }) => type === "FileSystemResizePending") === true;
    if (disk.mounted && disk.fileSystem + slack < disk.size) {
      if (!isPending) {
        const message = "The file system grows when the volume is attached anew.";
        const pending = { type: "FileSystemResizePending", status: "True", lastTransitionTime: null, message };
        await api.merge(path, { status: { conditions: [pending] } });
      }
    } else {
      await api.merge(path, { status: { capacity: { storage }, conditions: [] } });
    }
  }
}

function bytes(quantity: string | undefined): number {
  return quantity === undefined ? 0 : bytesOf(quantity);
}

function wantedBytes({ spec }: Claim): number {
  return bytes(spec.resources.requests.storage);
}
