import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { byteQuantity } from "../../components/plan/quantity.ts";
import { noBackupGroup } from "../../components/plan/storage.ts";
import type { PlannedVolume } from "./plan.ts";

/** The objects by which a volume comes back. All of them are pure: the same plan always gives the same objects. */

/** Whose fields these are in the API server. */
export const fieldManager = "kraft-restore";

/**
 * The group that a volume is in until it is whole again. A volume in no group would be in Longhorn's group `default`, and
 * be backed up half restored over the good backup that it comes from.
 */
export const restoringGroup = noBackupGroup;

/** Label of a volume in a group of recurring jobs. */
export function groupLabel(group: string): string {
  return `recurring-job-group.longhorn.io/${group}`;
}

/** An object to apply, and where. */
export interface Manifest {
  readonly path: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Parameters of a storage class. */
export type Parameters = Readonly<Record<string, string>>;

const longhorn = `/apis/longhorn.io/v1beta2/namespaces/${platformNamespaces.longhorn}`;

export const paths = {
  volume: (name: string): string => `${longhorn}/volumes/${name}`,
  backup: (name: string): string => `${longhorn}/backups/${name}`,
  backupTarget: (name: string): string => `${longhorn}/backuptargets/${name}`,
  persistentVolume: (name: string): string => `/api/v1/persistentvolumes/${name}`,
  claim: (namespace: string, name: string): string => `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`,
  namespace: (name: string): string => `/api/v1/namespaces/${name}`,
  clusters: (namespace: string): string => `/apis/k3k.io/v1beta1/namespaces/${namespace}/clusters`,
  storageClass: (name: string): string => `/apis/storage.k8s.io/v1/storageclasses/${name}`,
} as const;

/**
 * Longhorn's volume, as its CSI driver would have made it of the storage class (longhorn-manager: csi/util.go and
 * manager/volume.go). It keeps its old name, so that its next backup goes on from those that there are.
 *
 * While it restores it has one copy: every copy downloads for itself, and Wasabi's fair use is one download of all that is
 * stored a month. Longhorn makes the others from the first, over the home's network.
 *
 * @param replicas Copies that it has in the end.
 * @param size Bytes, where Longhorn has corrected them: an applied field that differs would be a conflict.
 */
export function volumeManifest(
  volume: PlannedVolume,
  parameters: Parameters,
  end?: { readonly replicas: number; readonly size: string },
): Manifest {
  const { recurringJobSelector = "[]", staleReplicaTimeout = "2880" } = parameters;
  const jobs = JSON.parse(recurringJobSelector) as readonly { readonly name: string; readonly isGroup?: boolean }[];
  const own = jobs.map(({ name, isGroup }) =>
    isGroup === true ? groupLabel(name) : `recurring-job.longhorn.io/${name}`,
  );
  const labels = end === undefined ? [groupLabel(restoringGroup)] : own;
  const optional = Object.fromEntries(
    ["dataLocality", "unmapMarkSnapChainRemoved"].flatMap((key) => {
      const value = parameters[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
  const blockSize = parameters["backupBlockSize"];
  return {
    path: paths.volume(volume.volume),
    object: {
      apiVersion: "longhorn.io/v1beta2",
      kind: "Volume",
      metadata: {
        name: volume.volume,
        namespace: platformNamespaces.longhorn,
        labels: Object.fromEntries(labels.map((label) => [label, "enabled"])),
      },
      spec: {
        size: end?.size ?? String(volume.sizeBytes),
        fromBackup: volume.backup.url,
        // Its groups come from its class, not from jobs of a cluster that is gone.
        restoreVolumeRecurringJob: "disabled",
        numberOfReplicas: end?.replicas ?? 1,
        staleReplicaTimeout: Number(staleReplicaTimeout),
        frontend: "blockdev",
        accessMode: volume.accessMode,
        dataEngine: volume.dataEngine,
        encrypted: volume.encrypted,
        revisionCounterDisabled: true,
        backupTargetName: parameters["backupTargetName"] ?? "default",
        ...(blockSize === undefined ? {} : { backupBlockSize: String(Number.parseInt(blockSize, 10) * 1024 ** 2) }),
        ...optional,
      },
    },
  };
}

/** The volume for Kubernetes, bound to its claim beforehand: nobody else's claim can take it. */
export function persistentVolumeManifest(volume: PlannedVolume, parameters: Parameters): Manifest {
  const { namespace, claim, volume: name } = volume;
  return {
    path: paths.persistentVolume(name),
    object: {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name, annotations: { "pv.kubernetes.io/provisioned-by": "driver.longhorn.io" } },
      spec: {
        capacity: { storage: quantity(volume.sizeBytes) },
        accessModes: [accessMode(volume)],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: volume.storageClass,
        volumeMode: "Filesystem",
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim },
        csi: {
          driver: "driver.longhorn.io",
          volumeHandle: name,
          fsType: parameters["fsType"] ?? "ext4",
          volumeAttributes: { ...parameters },
        },
      },
    },
  };
}

/**
 * The claim on the host, as K3k's syncer left it: it adopts one of that name as it stands and never changes it
 * (k3k-kubelet/controller/syncer/persistentvolumeclaims.go). It has no owner: the old guest's would be one that is gone,
 * and Kubernetes would delete the claim for that.
 */
export function claimManifest(volume: PlannedVolume): Manifest {
  const { namespace, claim, guest, tenant } = volume;
  return {
    path: paths.claim(namespace, claim),
    object: {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: {
        name: claim,
        namespace,
        ...(guest === null
          ? {}
          : {
              labels: { "k3k.io/clusterName": tenant },
              annotations: { "k3k.io/name": guest.name, "k3k.io/namespace": guest.namespace },
            }),
      },
      spec: {
        accessModes: [accessMode(volume)],
        storageClassName: volume.storageClass,
        volumeMode: "Filesystem",
        volumeName: volume.volume,
        resources: { requests: { storage: quantity(volume.sizeBytes) } },
      },
    },
  };
}

function accessMode({ accessMode: mode }: PlannedVolume): string {
  return { rwo: "ReadWriteOnce", rwx: "ReadWriteMany", rwop: "ReadWriteOncePod" }[mode];
}

/** Longhorn's sizes are whole mebibytes; bytes stand for what is not. */
function quantity(bytes: number): string {
  return bytes % 1024 ** 2 === 0 ? byteQuantity(bytes / 1024 ** 2) : String(bytes);
}
