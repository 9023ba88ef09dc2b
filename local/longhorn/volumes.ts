import type { Unrestored } from "./disks.ts";
import { isRestoreFinished, type Restore } from "./engines.ts";
import type {
  Backup,
  BackupVolume,
  Claim,
  Condition,
  KubernetesStatus,
  PersistentVolume,
  Pod,
  Volume,
  VolumeStatus,
} from "./objects.ts";

/** What Longhorn's volume controller looks at beside the Volume itself. */
export interface Surroundings {
  readonly now: string;
  /** The backup that `spec.fromBackup` names; undefined where Longhorn knows none of that name. */
  readonly backup: Backup | undefined;
  /** What its engine says; undefined where it does not restore. */
  readonly restore: Restore | undefined;
  /** Why it does not hold what its engine was asked for. */
  readonly unrestored: Unrestored | undefined;
  /** The PersistentVolume with this volume's handle. */
  readonly persistentVolume: PersistentVolume | undefined;
  /** The node that it is attached to, empty for none; undefined where that follows from the pods. */
  readonly attachedTo?: string;
  readonly pods: readonly Pod[];
  readonly claims: readonly Claim[];
  /** What its own backup target has of it or, while it restores, of the volume that it restores. */
  readonly backupVolume: BackupVolume | undefined;
  /** Whether there is a Backup of this name. */
  readonly isKnown: (backup: string) => boolean;
  /** Bytes that a new volume holds. */
  readonly newSize: number;
  /** Bytes that it holds now; undefined where they are not counted. */
  readonly heldBytes?: number | undefined;
}

/**
 * One step of Longhorn's volume controller (controller/volume_controller.go and volume_restore_controller.go of
 * longhorn-manager 1.12): creating → detached; with `fromBackup` detached → attached while it restores → detached. A
 * standby volume stays attached, and restores one backup after the other.
 */
export function nextVolumeStatus(volume: Volume, surroundings: Surroundings): VolumeStatus {
  const status = volume.status ?? {};
  // ReconcileBackupVolumeState: the time of the snapshot, not that of the upload.
  const common = {
    ...status,
    ...(surroundings.heldBytes === undefined ? {} : { actualSize: surroundings.heldBytes }),
    lastBackup: surroundings.backupVolume?.status?.lastBackupName ?? "",
    lastBackupAt: surroundings.backupVolume?.status?.lastBackupAt ?? "",
    kubernetesStatus: nextKubernetesStatus(status.kubernetesStatus, surroundings),
  };
  const { fromBackup = "" } = volume.spec;
  if (fromBackup !== "" && status.restoreInitiated !== true) {
    // An unknown backup leaves the volume as it is, until somebody deletes it.
    return surroundings.backup === undefined ? status : restoreBegins(common, volume, surroundings.backup);
  }
  if (status.restoreRequired === true) {
    return restoreGoesOn(common, volume, surroundings);
  }
  if (status.state === "attached" && status.conditions?.some(isRestoring) === true) {
    // The restore controller's ticket is gone, and with it what kept the volume attached.
    return { ...common, ...detached, conditions: [condition("False", "", "", surroundings.now)] };
  }
  if (status.state === undefined) {
    return { ...common, state: "creating", robustness: "unknown", actualSize: surroundings.newSize };
  }
  const node = surroundings.attachedTo ?? usingPod(surroundings)?.spec.nodeName ?? "";
  return node === ""
    ? { ...common, ...detached }
    : { ...common, state: "attached", robustness: "healthy", currentNodeID: node };
}

const detached = { state: "detached", robustness: "unknown", currentNodeID: "" };

/** checkAndInitVolumeRestore: the claim that the backup is of comes with it, the PersistentVolume does not. */
function restoreBegins(status: VolumeStatus, { spec }: Volume, backup: Backup): VolumeStatus {
  const label = backup.status?.labels?.["KubernetesStatus"];
  const known = label === undefined ? undefined : (JSON.parse(label) as KubernetesStatus);
  return {
    ...status,
    state: "creating",
    robustness: "unknown",
    actualSize: Number(backup.status?.size ?? 0),
    ...(spec.Standby === true ? { isStandby: true } : {}),
    restoreRequired: true,
    restoreInitiated: true,
    kubernetesStatus: {
      ...noKubernetesStatus,
      ...known,
      lastPVCRefAt: (known?.pvcName ?? "") === "" ? "" : (backup.status?.snapshotCreatedAt ?? ""),
      pvName: "",
      pvStatus: "",
    },
  };
}

function restoreGoesOn(status: VolumeStatus, volume: Volume, surroundings: Surroundings): VolumeStatus {
  const { restore, unrestored, now } = surroundings;
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
      if (unrestored === "failed" && restore?.lastRestoredBackup !== restore?.requestedBackupRestore) {
        const message = "All replica restore failed and the volume became Faulted";
        return {
          ...status,
          state: "detached",
          robustness: "faulted",
          conditions: [condition("False", "RestoreFailure", message, now)],
        };
      }
      return isRestoreFinished(volume, restore, surroundings.backupVolume, surroundings.isKnown)
        ? { ...status, ...(status.isStandby === true ? { isStandby: false } : {}), restoreRequired: false }
        : status;
  }
}

function isRestoring({ type, reason }: Condition): boolean {
  return type === "Restore" && reason === "RestoreInProgress";
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
          ...withoutPod(known, now),
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
        ? withoutPod(next, now)
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
  return {
    ...next,
    ...(kept.pvStatus === "Bound" && kept.lastPVCRefAt === "" ? { lastPVCRefAt: now } : {}),
    ...withoutPod(next, now),
  };
}

/** When the last pod was gone, once it is (setWorkloads). */
function withoutPod({ workloadsStatus, lastPodRefAt }: KubernetesStatus, now: string): Partial<KubernetesStatus> {
  return (workloadsStatus ?? []).length > 0 && lastPodRefAt === "" ? { lastPodRefAt: now } : {};
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

/** Why no node and no job can use a volume now, as the end of a sentence; undefined where they can. */
export function whyNotReady({ status }: Volume): string | undefined {
  const { state = "creating", robustness, restoreRequired } = status ?? {};
  if (robustness === "faulted") {
    return "it is faulted";
  }
  if (restoreRequired === true) {
    return "it is being restored";
  }
  return state === "creating" ? "it is new" : undefined;
}
