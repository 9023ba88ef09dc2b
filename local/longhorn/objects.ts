import type { KubernetesObject } from "../../cluster/objects.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";

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
    /** Whether it follows the backups of another volume. Longhorn writes this one field with a capital. */
    readonly Standby?: boolean;
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
  readonly isStandby?: boolean;
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
  readonly status?: { readonly readyToUse?: boolean; readonly creationTime?: string; readonly error?: string };
}

/** Longhorn's Backup. */
export interface Backup extends Stored {
  readonly spec: { readonly snapshotName?: string; readonly labels?: Labels | null };
  readonly status?: {
    readonly state?: string;
    readonly lastSyncedAt?: string | null;
    readonly backupTargetName?: string;
    readonly snapshotCreatedAt?: string;
    /** Bytes that are stored. */
    readonly size?: string;
    /** Bytes of the volume. */
    readonly volumeSize?: string;
    readonly labels?: Labels | null;
  };
}

export type Labels = Readonly<Record<string, string>>;

/** Longhorn's BackupVolume: what a backup target has of a volume. */
export interface BackupVolume extends Stored {
  readonly spec: {
    readonly volumeName?: string;
    readonly backupTargetName?: string;
    readonly syncRequestedAt?: string | null;
  };
  readonly status?: {
    readonly lastBackupName?: string;
    readonly lastBackupAt?: string;
    readonly lastSyncedAt?: string | null;
  };
}

/** Longhorn's BackupTarget. */
export interface BackupTarget extends Stored {
  readonly spec: {
    readonly backupTargetURL?: string;
    /** A secret in Longhorn's namespace. */
    readonly credentialSecret?: string;
    /** As Go writes durations. */
    readonly pollInterval?: string;
    readonly syncRequestedAt?: string | null;
  };
  readonly status?: {
    readonly available?: boolean;
    readonly lastSyncedAt?: string | null;
    readonly conditions?: readonly Condition[] | null;
  };
}

/** Longhorn's Engine, as far as it restores. */
export interface Engine extends Stored {
  readonly spec: {
    readonly volumeName?: string;
    /** The BackupVolume object that it restores from. */
    readonly backupVolume?: string;
    readonly requestedBackupRestore?: string;
  };
  readonly status?: {
    readonly currentState?: string;
    readonly lastRestoredBackup?: string;
  };
}

/** A PersistentVolume. */
export interface PersistentVolume extends Stored {
  readonly spec: {
    readonly claimRef?: { readonly namespace: string; readonly name: string; readonly uid?: string };
    readonly capacity?: { readonly storage?: string };
    readonly storageClassName?: string;
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
  readonly status?: {
    readonly capacity?: { readonly storage?: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** A StorageClass. */
export interface StorageClass extends Stored {
  readonly provisioner: string;
  readonly reclaimPolicy?: string;
  readonly allowVolumeExpansion?: boolean;
  readonly parameters?: Labels;
}

/** Where all VolumeAttachments are. */
export const volumeAttachments = "/apis/storage.k8s.io/v1/volumeattachments";

/** A VolumeAttachment: that a node is to have a volume, and whether it can. */
export interface VolumeAttachment extends Stored {
  readonly spec: {
    readonly attacher: string;
    readonly nodeName: string;
    readonly source: { readonly persistentVolumeName?: string };
  };
  readonly status?: { readonly attached?: boolean; readonly attachError?: { readonly message?: string } };
}

/** A Pod, as far as it uses claims. */
export interface Pod extends Stored {
  readonly spec: {
    readonly nodeName?: string;
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
  };
  readonly status?: { readonly phase?: string };
}
