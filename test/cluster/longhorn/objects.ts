import type { KubernetesObject } from "../../../local/api.ts";
import { platformNamespaces } from "../../../components/plan/network/platform-policies.ts";

/** Where Longhorn's objects are in the API. */
export const longhornApi = `/apis/longhorn.io/v1beta2/namespaces/${platformNamespaces.longhorn}`;

/** An object with what every object has, and whether it is being deleted. */
export interface Stored extends KubernetesObject {
  readonly metadata: KubernetesObject["metadata"] & {
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
}

/** What Longhorn knows of the claim that a volume belongs to. */
export interface KubernetesStatus {
  readonly pvName: string;
  readonly pvStatus: string;
  readonly namespace: string;
  readonly pvcName: string;
  readonly lastPVCRefAt: string;
  readonly workloadsStatus:
    | readonly {
        readonly podName: string;
        readonly podStatus: string;
        readonly workloadName: string;
        readonly workloadType: string;
      }[]
    | null;
  readonly lastPodRefAt: string;
}

/** Longhorn's Volume. Sizes are bytes, in the spec as text. */
export interface Volume extends Stored {
  readonly spec: {
    readonly size?: string;
    readonly fromBackup?: string;
    readonly numberOfReplicas?: number;
    readonly accessMode?: string;
    readonly backupTargetName?: string;
    readonly backupBlockSize?: string;
    readonly [field: string]: unknown;
  };
  readonly status?: VolumeStatus;
}

export interface VolumeStatus {
  readonly state?: string;
  readonly robustness?: string;
  readonly restoreRequired?: boolean;
  readonly restoreInitiated?: boolean;
  readonly actualSize?: number;
  readonly lastBackup?: string;
  readonly lastBackupAt?: string;
  readonly kubernetesStatus?: KubernetesStatus;
  readonly conditions?: readonly Condition[] | null;
  readonly [field: string]: unknown;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastProbeTime: string;
  readonly lastTransitionTime: string;
}

/** Longhorn's Snapshot. */
export interface Snapshot extends Stored {
  readonly spec: { readonly volume: string; readonly createSnapshot?: boolean; readonly labels?: Labels | null };
  readonly status?: { readonly readyToUse?: boolean; readonly creationTime?: string };
}

/** Longhorn's Backup. */
export interface Backup extends Stored {
  readonly spec: { readonly snapshotName?: string; readonly labels?: Labels | null };
  readonly status?: {
    readonly state?: string;
    readonly lastSyncedAt?: string | null;
    readonly size?: string;
    readonly labels?: Labels | null;
  };
}

export type Labels = Readonly<Record<string, string>>;

/** Longhorn's BackupVolume. */
export interface BackupVolume extends Stored {
  readonly spec: { readonly volumeName?: string };
  readonly status?: { readonly lastBackupName?: string };
}

/** A PersistentVolume. */
export interface PersistentVolume extends Stored {
  readonly spec: {
    readonly claimRef?: { readonly namespace: string; readonly name: string; readonly uid?: string };
    readonly persistentVolumeReclaimPolicy?: string;
    readonly csi?: { readonly driver: string; readonly volumeHandle: string };
  };
  readonly status?: { readonly phase?: string };
}

/** A PersistentVolumeClaim. */
export interface Claim extends Stored {
  readonly spec: {
    readonly storageClassName?: string;
    readonly volumeName?: string;
    readonly volumeMode?: string;
    readonly accessModes: readonly string[];
    readonly resources: { readonly requests: { readonly storage: string } };
  };
}

/** A StorageClass. */
export interface StorageClass extends Stored {
  readonly provisioner: string;
  readonly reclaimPolicy?: string;
  readonly parameters?: Labels;
}

/** A Pod, as far as it uses claims. */
export interface Pod extends Stored {
  readonly spec: {
    readonly nodeName?: string;
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
  };
  readonly status?: { readonly phase?: string };
}
