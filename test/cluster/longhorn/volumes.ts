import type { Condition, PersistentVolume, Pod, Claim, KubernetesStatus, Volume, VolumeStatus } from "./objects.ts";
import type { StoredBackup } from "./backup-store.ts";

/** How a restore goes wrong: it never ends, or every replica fails. */
export type RestoreFault = "endless" | "faulted";

/** What Longhorn's volume controller looks at beside the Volume itself. */
export interface Surroundings {
  readonly now: string;
  /** The backup that `spec.fromBackup` names; undefined where Longhorn knows none of that name. */
  readonly backup: StoredBackup | undefined;
  readonly fault: RestoreFault | undefined;
  /** The PersistentVolume with this volume's handle. */
  readonly persistentVolume: PersistentVolume | undefined;
  readonly pods: readonly Pod[];
  readonly claims: readonly Claim[];
  /** From the BackupVolume of this name: the snapshot's time, not that of the upload. */
  readonly lastBackup: { readonly name: string; readonly at: string } | undefined;
  /** Bytes that a volume holds which is not restored. */
  readonly actualSize: number;
}

/** The backup's name in a URL such as `s3://bucket@region/?backup=<name>&volume=<name>`. */
export function backupOfUrl(url: string): { readonly backup: string; readonly volume: string } {
  const { searchParams } = new URL(url);
  return { backup: searchParams.get("backup") ?? "", volume: searchParams.get("volume") ?? "" };
}

/**
 * One step of Longhorn's volume controller (controller/volume_controller.go and volume_restore_controller.go of
 * longhorn-manager 1.12): creating → detached; with `fromBackup` detached → attached while it restores → detached.
 */
export function nextVolumeStatus(volume: Volume, surroundings: Surroundings): VolumeStatus {
  const status = volume.status ?? {};
  const common = {
    ...status,
    lastBackup: surroundings.lastBackup?.name ?? "",
    lastBackupAt: surroundings.lastBackup?.at ?? "",
    kubernetesStatus: nextKubernetesStatus(status.kubernetesStatus, surroundings),
  };
  const { fromBackup = "" } = volume.spec;
  if (fromBackup !== "" && status.restoreInitiated !== true) {
    // An unknown backup leaves the volume as it is, until somebody deletes it.
    return surroundings.backup === undefined ? status : restoreBegins(common, surroundings.backup);
  }
  if (status.restoreRequired === true) {
    return restoreGoesOn(common, surroundings);
  }
  if (status.state === undefined) {
    return { ...common, state: "creating", robustness: "unknown", actualSize: surroundings.actualSize };
  }
  const user = usingPod(surroundings);
  return user === undefined
    ? { ...common, state: "detached", robustness: "unknown", currentNodeID: "" }
    : { ...common, state: "attached", robustness: "healthy", currentNodeID: user.spec.nodeName ?? "" };
}

/** checkAndInitVolumeRestore: the claim that the backup is of comes with it, the PersistentVolume does not. */
function restoreBegins(status: VolumeStatus, backup: StoredBackup): VolumeStatus {
  const label = backup.labels["KubernetesStatus"];
  const known = label === undefined ? undefined : (JSON.parse(label) as KubernetesStatus);
  return {
    ...status,
    state: "creating",
    robustness: "unknown",
    actualSize: backup.size,
    restoreRequired: true,
    restoreInitiated: true,
    kubernetesStatus: {
      ...noKubernetesStatus,
      ...known,
      lastPVCRefAt: (known?.pvcName ?? "") === "" ? "" : backup.snapshotCreatedAt,
      pvName: "",
      pvStatus: "",
    },
  };
}

function restoreGoesOn(status: VolumeStatus, { fault, now }: Surroundings): VolumeStatus {
  switch (status.state) {
    case "creating":
      return { ...status, state: "detached" };
    case "detached":
      return status.robustness === "faulted" ? status : { ...status, state: "attaching" };
    case "attaching":
      return {
        ...status,
        state: "attached",
        robustness: "healthy",
        conditions: [condition("True", "RestoreInProgress", "", now)],
      };
    case undefined:
    default:
      if (fault === "endless") {
        return status;
      }
      return fault === "faulted"
        ? {
            ...status,
            state: "detached",
            robustness: "faulted",
            conditions: [
              condition("False", "RestoreFailure", "All replica restore failed and the volume became Faulted", now),
            ],
          }
        : {
            ...status,
            state: "detached",
            robustness: "unknown",
            restoreRequired: false,
            conditions: [condition("False", "", "", now)],
          };
  }
}

function condition(status: string, reason: string, message: string, now: string): Condition {
  return { type: "Restore", status, reason, message, lastProbeTime: "", lastTransitionTime: now };
}

const noKubernetesStatus: KubernetesStatus = {
  pvName: "",
  pvStatus: "",
  namespace: "",
  pvcName: "",
  lastPVCRefAt: "",
  workloadsStatus: null,
  lastPodRefAt: "",
};

/** syncKubernetesStatus and cleanupForPVDeletion of controller/kubernetes_pv_controller.go. */
function nextKubernetesStatus(before: KubernetesStatus | undefined, surroundings: Surroundings): KubernetesStatus {
  const { persistentVolume, now } = surroundings;
  const known = before ?? noKubernetesStatus;
  if (persistentVolume === undefined) {
    return known.pvName === ""
      ? known
      : {
          ...known,
          lastPVCRefAt: known.pvcName !== "" && known.lastPVCRefAt === "" ? now : known.lastPVCRefAt,
          pvName: "",
          pvStatus: "",
        };
  }
  const { name } = persistentVolume.metadata;
  const phase = persistentVolume.status?.phase ?? "";
  const kept = known.pvName === name ? known : noKubernetesStatus;
  const claim = persistentVolume.spec.claimRef;
  const next = { ...kept, pvName: name, pvStatus: phase };
  if (claim !== undefined && phase === "Bound") {
    const pod = usingPod(surroundings);
    return {
      ...next,
      namespace: claim.namespace,
      pvcName: claim.name,
      lastPVCRefAt: "",
      ...(pod === undefined
        ? {}
        : {
            workloadsStatus: [
              {
                podName: pod.metadata.name,
                podStatus: pod.status?.phase ?? "",
                workloadName: "",
                workloadType: "",
              },
            ],
            lastPodRefAt: "",
          }),
    };
  }
  return kept.pvStatus === "Bound" && kept.lastPVCRefAt === "" ? { ...next, lastPVCRefAt: now } : next;
}

/** A pod that runs and mounts the claim which the volume is bound to. */
function usingPod({ persistentVolume, pods }: Surroundings): Pod | undefined {
  const claim = persistentVolume?.spec.claimRef;
  return claim === undefined || persistentVolume?.status?.phase !== "Bound"
    ? undefined
    : pods.find(
        ({ metadata, spec, status }) =>
          metadata.namespace === claim.namespace &&
          spec.nodeName !== undefined &&
          (status?.phase === "Running" || status?.phase === "Pending") &&
          (spec.volumes ?? []).some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim.name),
      );
}
