import type { apps, core, storage } from "@pulumi/kubernetes/types/output.js";

/**
 * Objects of the API server, each kind once, as far as Kraft reads them. Nearly every field is optional: an object may be so
 * new that its controller has not written it yet.
 */

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  /** Tells an object from a later one of the same name. */
  readonly uid?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly {
    readonly kind?: string;
    readonly uid?: string;
    readonly controller?: boolean;
  }[];
}

export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Metadata;
}

export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

/** The condition of one type; undefined where there is none. */
export function condition(
  status: { readonly conditions?: readonly Condition[] | null } | undefined,
  type: string,
): Condition | undefined {
  return status?.conditions?.find((candidate) => candidate.type === type);
}

/** An object of Kubernetes' own: its fields are those of its API, any of which its controller may not have written yet. */
type Read<Kind> = KubernetesObject & Partly<Omit<Kind, "apiVersion" | "kind" | "metadata">>;

/** A value of which every part may be missing. Go writes an empty list as null. */
type Partly<Value> = Value extends readonly (infer Item)[]
  ? readonly Partly<Item>[] | null
  : Value extends object
    ? string extends keyof Value
      ? Readonly<Value>
      : { readonly [Key in keyof Value]?: Partly<Value[Key]> }
    : Value;

export type Node = Read<core.v1.Node>;
export type Namespace = KubernetesObject;
export type Pod = Read<core.v1.Pod>;
export type ContainerState = Partly<core.v1.ContainerState>;
export type Container = Partly<core.v1.Container>;
export type Claim = Read<core.v1.PersistentVolumeClaim>;
export type PersistentVolume = Read<core.v1.PersistentVolume>;
export type StorageClass = Read<storage.v1.StorageClass>;
export type Deployment = Read<apps.v1.Deployment>;
export type DaemonSet = Read<apps.v1.DaemonSet>;
export type StatefulSet = Read<apps.v1.StatefulSet>;
/** What a StatefulSet was at some time. */
export type ControllerRevision = KubernetesObject & { readonly data?: Pick<StatefulSet, "spec"> };
export type ResourceQuota = Read<core.v1.ResourceQuota>;
export type ConfigMap = Read<core.v1.ConfigMap>;
/** Its values are in base64. */
export type Secret = Read<core.v1.Secret>;

/** K3k's Cluster: a guest. */
export interface Cluster extends KubernetesObject {
  readonly spec?: { readonly version?: string };
  readonly status?: {
    readonly phase?: string;
    readonly policyName?: string;
    readonly conditions?: readonly Condition[];
  };
}

/** Longhorn's Volume. */
export interface Volume extends KubernetesObject {
  readonly spec?: {
    readonly size?: string;
    readonly fromBackup?: string;
    readonly encrypted?: boolean;
    readonly accessMode?: string;
    readonly backupTargetName?: string;
    /** Whether it is to follow another volume's backups. With a capital (longhorn-manager 1.12, v1beta2/volume.go). */
    readonly Standby?: boolean;
  };
  readonly status?: {
    readonly state?: string;
    readonly robustness?: string;
    readonly actualSize?: number;
    /** Whether Longhorn has begun to restore it. Stays true for good. */
    readonly restoreInitiated?: boolean;
    /** Whether the restore has still to come to its end. */
    readonly restoreRequired?: boolean;
    /** Whether it does follow another volume's backups. */
    readonly isStandby?: boolean;
    /** Name of the newest backup that Longhorn knows of in the volume's own target. */
    readonly lastBackup?: string;
    /** When the snapshot of the last backup was taken, not when its upload ended. */
    readonly lastBackupAt?: string;
    readonly kubernetesStatus?: KubernetesStatus;
    readonly conditions?: readonly Condition[] | null;
  };
}

/** What Longhorn knows of the claim that a volume is for. A restored volume has it from its backup, until it has a PV. */
export interface KubernetesStatus {
  readonly pvName?: string;
  readonly pvStatus?: string;
  readonly namespace?: string;
  readonly pvcName?: string;
  /** When the claim was last there; empty while it is. */
  readonly lastPVCRefAt?: string;
  readonly workloadsStatus?: readonly object[] | null;
  /** When a pod last used it; empty while one does. */
  readonly lastPodRefAt?: string;
}

/** Longhorn's Node, with the disks that it keeps copies of volumes on. */
export interface LonghornNode extends KubernetesObject {
  readonly spec?: { readonly disks?: Readonly<Record<string, { readonly allowScheduling?: boolean } | null>> | null };
  readonly status?: {
    /** By the name of the disk. `storageMaximum` is in bytes. */
    readonly diskStatus?: Readonly<Record<string, { readonly storageMaximum?: number } | null>> | null;
  };
}

/** Longhorn's Engine of a volume. */
export interface Engine extends KubernetesObject {
  readonly status?: {
    readonly lastRestoredBackup?: string;
    /** By the address of the copy. */
    readonly restoreStatus?: Readonly<Record<string, { readonly error?: string } | null>> | null;
  };
}

/** An Ingress. */
export interface Ingress extends KubernetesObject {
  readonly spec?: { readonly rules?: readonly { readonly host?: string }[] };
}

/** Longhorn's Snapshot. */
export interface Snapshot extends KubernetesObject {
  readonly spec?: { readonly volume?: string };
  readonly status?: { readonly readyToUse?: boolean; readonly creationTime?: string; readonly error?: string };
}

/** Longhorn's Backup. */
export interface Backup extends KubernetesObject {
  readonly spec?: { readonly snapshotName?: string };
  readonly status?: {
    readonly state?: string;
    readonly error?: string;
    readonly progress?: number;
    readonly url?: string;
    readonly volumeName?: string;
    readonly snapshotCreatedAt?: string;
    /** Bytes, as text. */
    readonly size?: string;
    readonly volumeSize?: string;
    readonly newlyUploadDataSize?: string;
    readonly labels?: Readonly<Record<string, string>> | null;
  };
}

/** Longhorn's BackupVolume: what it knows of a volume's backups in one target. */
export interface BackupVolume extends KubernetesObject {
  readonly spec?: { readonly volumeName?: string };
  readonly status?: {
    readonly lastBackupName?: string;
    readonly lastSyncedAt?: string | null;
    readonly labels?: Readonly<Record<string, string>> | null;
  };
}

/** Longhorn's BackupTarget. */
export interface BackupTarget extends KubernetesObject {
  readonly spec?: { readonly backupTargetURL?: string };
  readonly status?: {
    readonly available?: boolean;
    readonly lastSyncedAt?: string | null;
    readonly conditions?: readonly Condition[] | null;
  };
}

/** Longhorn's RecurringJob. */
export interface RecurringJob extends KubernetesObject {
  readonly spec?: {
    readonly task?: string;
    readonly cron?: string;
    readonly groups?: readonly string[] | null;
    readonly retain?: number;
  };
}

/** Longhorn's Setting. */
export interface Setting extends KubernetesObject {
  readonly value?: string;
}

/** cert-manager's Certificate. */
export interface Certificate extends KubernetesObject {
  readonly spec?: { readonly dnsNames?: readonly string[]; readonly secretName?: string };
  readonly status?: {
    readonly notAfter?: string;
    readonly renewalTime?: string;
    /** Which of its issuances the certificate is of, from 1. */
    readonly revision?: number;
    readonly conditions?: readonly Condition[];
  };
}

/** cert-manager's ClusterIssuer. */
export interface ClusterIssuer extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly Condition[];
    /** The account at the authority, by its address. */
    readonly acme?: { readonly uri?: string };
  };
}

/** cert-manager's Order, one issuance of a Certificate, which its annotations name. */
export interface Order extends KubernetesObject {
  readonly spec?: { readonly issuerRef?: { readonly kind?: string; readonly name?: string } };
  /** The order's address at the authority. */
  readonly status?: { readonly url?: string };
}

/** cert-manager's Challenge: what the authority asks for one name before it issues anything. */
export interface Challenge extends KubernetesObject {
  readonly spec?: { readonly dnsName?: string };
  /** What it waits for. */
  readonly status?: { readonly reason?: string };
}

/** The latest of times in RFC 3339, whatever their fractions of a second; undefined where there is none. */
export function latest(times: readonly (string | null | undefined)[]): string | undefined {
  return times
    .filter((time) => typeof time === "string")
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);
}

/** Whether a pod is at its end. One that waits for a node may start at any time, and one that is being deleted still runs. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/**
 * When the last pod with a claim had ended (RFC 3339), of those that are still listed: to Longhorn a pod that ended and
 * was not deleted uses its volume on (getAssociatedPods in controller/kubernetes_pv_controller.go of longhorn-manager
 * 1.12).
 */
export function lastEnd(pods: readonly Pod[], claim: string): string | undefined {
  const ended = pods.filter((pod) => hasEnded(pod) && usesClaim(pod, claim));
  return latest(
    ended.flatMap(({ status }) => [
      ...(status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt),
      // The kubelet of a pod that was evicted says nothing of its containers.
      ...(status?.conditions ?? []).map(({ lastTransitionTime }) => lastTransitionTime),
    ]),
  );
}

/** Whether a pod mounts a claim. */
export function usesClaim(pod: Pod, claim: string): boolean {
  return claimsOf(pod).includes(claim);
}

/** A generic ephemeral volume has a claim named after its pod. */
function claimsOf({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => [
    ...(persistentVolumeClaim?.claimName === undefined ? [] : [persistentVolumeClaim.claimName]),
    ...(ephemeral === undefined || name === undefined ? [] : [`${metadata.name}-${name}`]),
  ]);
}
