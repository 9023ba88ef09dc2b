import { longhornDriver } from "../../cluster/longhorn.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import type { LonghornApi } from "./longhorn-api.ts";
import { forEachOf } from "./longhorn-stand-in.ts";
import { type Claim, type Labels, longhornApi, type PersistentVolume, type StorageClass } from "./objects.ts";
import { bytesOf } from "./quantity.ts";
import { defaultTarget } from "./targets.ts";

/** Bytes of a block of a class's backups: the parameter, else Longhorn's setting default-backup-block-size. */
function blockSizeOf(parameters: Labels): number {
  return bytesOf(parameters["backupBlockSize"] ?? "2Mi");
}

/** Bytes of a volume for a claim: whole blocks, which is what the backup store's library restores. */
export function volumeBytes(storage: string, parameters: Labels): number {
  const block = blockSizeOf(parameters);
  return Math.ceil(bytesOf(storage) / block) * block;
}

/** The CSI provisioner: a Volume and a PersistentVolume for each claim without one, and away with what is to go. */
export class Provisioner {
  readonly #longhorn: LonghornApi;

  constructor(longhorn: LonghornApi) {
    this.#longhorn = longhorn;
  }

  async step(): Promise<void> {
    const { api } = this.#longhorn;
    const [claims, classes, persistentVolumes] = await Promise.all([
      api.list<Claim>("/api/v1/persistentvolumeclaims"),
      api.list<StorageClass>("/apis/storage.k8s.io/v1/storageclasses"),
      api.list<PersistentVolume>("/api/v1/persistentvolumes"),
    ]);
    await forEachOf(claims, async (claim) => {
      const storageClass = classes.find(({ metadata }) => metadata.name === claim.spec.storageClassName);
      const pending = (claim.spec.volumeName ?? "") === "" && claim.metadata.deletionTimestamp === undefined;
      const name = `pvc-${claim.metadata.uid ?? ""}`;
      const made = persistentVolumes.some(({ metadata }) => metadata.name === name);
      if (pending && !made && storageClass?.provisioner === longhornDriver) {
        await this.#provisionFor(claim, storageClass, name);
      }
    });
    await forEachOf(persistentVolumes, async ({ metadata, spec, status }) => {
      const ours = metadata.annotations?.["pv.kubernetes.io/provisioned-by"] === longhornDriver;
      if (
        ours &&
        status?.phase === "Released" &&
        spec.persistentVolumeReclaimPolicy === "Delete" &&
        metadata.deletionTimestamp === undefined
      ) {
        await this.#longhorn.delete("Volume", spec.csi?.volumeHandle ?? "");
        await this.#longhorn.deletePath(`/api/v1/persistentvolumes/${metadata.name}`);
      }
    });
  }

  async #provisionFor(claim: Claim, storageClass: StorageClass, name: string): Promise<void> {
    const { name: claimName, namespace: claimNamespace = "", uid } = claim.metadata;
    const { storage } = claim.spec.resources.requests;
    const parameters = storageClass.parameters ?? {};
    const jobs = JSON.parse(parameters["recurringJobSelector"] ?? "[]") as { name: string; isGroup: boolean }[];
    await this.#longhorn.create(`${longhornApi}/volumes`, {
      apiVersion: "longhorn.io/v1beta2",
      kind: "Volume",
      metadata: {
        name,
        namespace: platformNamespaces.longhorn,
        labels: Object.fromEntries(
          jobs.map((job) => [`recurring-job${job.isGroup ? "-group" : ""}.longhorn.io/${job.name}`, "enabled"]),
        ),
      },
      spec: {
        size: String(volumeBytes(storage, parameters)),
        backupBlockSize: String(blockSizeOf(parameters)),
        frontend: "blockdev",
        accessMode: claim.spec.accessModes.includes("ReadWriteMany") ? "rwx" : "rwo",
        numberOfReplicas: Number(parameters["numberOfReplicas"] ?? 2),
        staleReplicaTimeout: Number(parameters["staleReplicaTimeout"] ?? 2880),
        dataEngine: "v1",
        encrypted: parameters["encrypted"] === "true",
        backupTargetName: parameters["backupTargetName"] ?? defaultTarget,
      },
    });
    await this.#longhorn.create("/api/v1/persistentvolumes", {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name, annotations: { "pv.kubernetes.io/provisioned-by": longhornDriver } },
      spec: {
        capacity: { storage },
        accessModes: claim.spec.accessModes,
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
        storageClassName: storageClass.metadata.name,
        volumeMode: claim.spec.volumeMode ?? "Filesystem",
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: claimNamespace, name: claimName, uid },
        csi: {
          driver: longhornDriver,
          volumeHandle: name,
          fsType: parameters["fsType"] ?? "ext4",
          volumeAttributes: { ...parameters, "storage.kubernetes.io/csiProvisionerIdentity": "stand-in" },
        },
      },
    });
  }
}
