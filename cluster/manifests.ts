import { drillLabel } from "../components/plan/drill.ts";
import { movedAtAnnotation } from "../components/plan/lifecycle.ts";
import { clusterLabel, type GuestName } from "../components/plan/names.ts";
import { platformNamespaces } from "../components/plan/network/platform-policies.ts";
import { byteQuantity } from "../components/plan/size.ts";
import { noBackupGroup } from "../components/plan/storage.ts";
import { defaultTarget, groupLabel, longhornDriver, longhornVersion } from "./longhorn.ts";
import { paths } from "./paths.ts";

/** The three objects that bring a volume back from its backup: Longhorn's Volume, the PersistentVolume and its claim. */

/** A volume to restore, and the claim that it is for. */
export interface RestorableVolume {
  /**
   * Name of Longhorn's Volume and of the PersistentVolume. Restored under its old name, a volume adds its next backup to
   * those that exist.
   */
  readonly volume: string;
  readonly namespace: string;
  readonly claim: string;
  readonly tenant: string;
  /** What the guest calls the claim; null for the guest's own datastore, and for a drill's claim. */
  readonly guest: GuestName | null;
  readonly backup: { readonly name: string; readonly url: string };
  readonly sizeBytes: number;
  readonly storageClass: string;
  /** Parameters of the storage class. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly accessMode: "rwo" | "rwop" | "rwx";
  readonly encrypted: boolean;
  readonly dataEngine: string;
  /** Whether it is a raw device, which a backup does not say. Default: it has a file system. */
  readonly isBlock?: boolean;
  /** Whether a drill restores it, under a name of its own, and deletes it afterwards. */
  readonly isDrill?: boolean;
}

/** An object to apply, and where. */
export interface Manifest {
  readonly path: string;
  readonly object: object;
}

/** How far a volume is. With none of these it is being restored from this cluster's own backups. */
export interface VolumeState {
  /** Longhorn's name of the backup target that it comes from, if that is another stack's. */
  readonly source?: string;
  /** When the move began that activated it; undefined while it is a standby copy. */
  readonly activatedAt?: string;
  /** Set once it is restored and bound: its replicas, and its size as Longhorn corrected it. */
  readonly complete?: { readonly replicas: number; readonly size: string };
}

/**
 * Label of a volume until it is complete. Without any group it would be in Longhorn's group `default`, and a half-restored
 * volume would be backed up over the good backup that it comes from.
 */
export const restoringLabel = groupLabel(noBackupGroup);

/** Label of a drill's volume for as long as it exists: no schedule has this group. */
const drillGroupLabel = groupLabel("kraft-drill");

/**
 * Longhorn's Volume, as its CSI driver would have made it from the storage class (longhorn-manager: csi/util.go and
 * manager/volume.go).
 *
 * While it is restored it has one replica: each would download for itself, and Wasabi's fair use is one download of all
 * stored data a month. Longhorn copies the others from the first, over the home's network.
 *
 * A volume that moves keeps the source as its backup target until it is complete, since Longhorn looks there for its
 * newest backup (`checkAndFinishVolumeRestore` in controller/volume_controller.go). Nothing is written there meanwhile,
 * since it is in no schedule.
 */
export function volumeManifest(volume: RestorableVolume, state: VolumeState = {}): Manifest {
  const { source, activatedAt, complete } = state;
  const { parameters } = volume;
  const isStandby = source !== undefined && activatedAt === undefined;
  const { backupTargetName = defaultTarget, backupBlockSize } = parameters;
  return {
    path: paths.volumes.named(volume.volume),
    object: {
      apiVersion: longhornVersion,
      kind: "Volume",
      metadata: {
        name: volume.volume,
        namespace: platformNamespaces.longhorn,
        labels: { ...drillLabels(volume), ...groupLabels(volume, complete !== undefined) },
        annotations: activatedAt === undefined ? undefined : { [movedAtAnnotation]: activatedAt },
      },
      spec: {
        // An applied field that differs from what Longhorn corrected would be a conflict.
        size: complete?.size ?? String(volume.sizeBytes),
        fromBackup: volume.backup.url,
        // Its groups come from its class, not from jobs of a cluster that is gone.
        restoreVolumeRecurringJob: "disabled",
        numberOfReplicas: complete?.replicas ?? 1,
        staleReplicaTimeout: Number(parameters["staleReplicaTimeout"] ?? "2880"),
        // With a capital: `json:"Standby"` in k8s/pkg/apis/longhorn/v1beta2/volume.go.
        Standby: source === undefined ? undefined : isStandby,
        frontend: isStandby ? "" : "blockdev",
        accessMode: volume.accessMode,
        dataEngine: volume.dataEngine,
        encrypted: volume.encrypted,
        revisionCounterDisabled: true,
        backupTargetName: complete === undefined ? (source ?? backupTargetName) : backupTargetName,
        // A standby copy has the block size of its backup, and Longhorn never changes one.
        backupBlockSize:
          backupBlockSize === undefined || source !== undefined
            ? undefined
            : String(Number.parseInt(backupBlockSize, 10) * 1024 ** 2),
        dataLocality: parameters["dataLocality"],
        unmapMarkSnapChainRemoved: parameters["unmapMarkSnapChainRemoved"],
      },
    },
  };
}

/** The recurring jobs of its class once it is complete; until then, and for a drill, a group without any backup. */
function groupLabels({ parameters, isDrill }: RestorableVolume, isComplete: boolean): Record<string, string> {
  const jobs = JSON.parse(parameters["recurringJobSelector"] ?? "[]") as readonly {
    readonly name: string;
    readonly isGroup?: boolean;
  }[];
  const own = jobs.map(({ name, isGroup }) =>
    isGroup === true ? groupLabel(name) : `recurring-job.longhorn.io/${name}`,
  );
  const labels = isDrill === true ? [drillGroupLabel] : isComplete ? own : [restoringLabel];
  return Object.fromEntries(labels.map((label) => [label, "enabled"]));
}

/** The volume for Kubernetes, bound to its claim in advance: no other claim can take it. */
export function persistentVolumeManifest(volume: RestorableVolume): Manifest {
  const { namespace, claim, volume: name, parameters } = volume;
  return {
    path: paths.persistentVolumes.named(name),
    object: {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: {
        name,
        labels: drillLabels(volume),
        annotations: { "pv.kubernetes.io/provisioned-by": longhornDriver },
      },
      spec: {
        capacity: { storage: quantity(volume.sizeBytes) },
        accessModes: [accessMode(volume)],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: volume.storageClass,
        volumeMode: volumeMode(volume),
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim },
        csi: {
          driver: longhornDriver,
          volumeHandle: name,
          fsType: parameters["fsType"] ?? "ext4",
          volumeAttributes: { ...parameters },
        },
      },
    },
  };
}

/**
 * The claim on the host, as K3k's syncer left it: it adopts a claim of that name and never changes it
 * (k3k-kubelet/controller/syncer/persistentvolumeclaims.go). It has no owner: the old guest is gone, and Kubernetes would
 * delete the claim for that.
 */
export function claimManifest(volume: RestorableVolume): Manifest {
  const { namespace, claim, guest, tenant } = volume;
  const ofGuest =
    guest === null
      ? { labels: drillLabels(volume) }
      : {
          labels: { [clusterLabel]: tenant },
          annotations: { "k3k.io/name": guest.name, "k3k.io/namespace": guest.namespace },
        };
  return {
    path: paths.claims.named(namespace, claim),
    object: {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: claim, namespace, ...ofGuest },
      spec: {
        accessModes: [accessMode(volume)],
        storageClassName: volume.storageClass,
        volumeMode: volumeMode(volume),
        volumeName: volume.volume,
        resources: { requests: { storage: quantity(volume.sizeBytes) } },
      },
    },
  };
}

/** How the drill's cleanup finds what a drill made; undefined for every other volume. */
function drillLabels({ isDrill, tenant }: RestorableVolume): Readonly<Record<string, string>> | undefined {
  return isDrill === true ? { [drillLabel]: tenant } : undefined;
}

function volumeMode({ isBlock }: RestorableVolume): string {
  return isBlock === true ? "Block" : "Filesystem";
}

function accessMode({ accessMode: mode }: RestorableVolume): string {
  return { rwo: "ReadWriteOnce", rwx: "ReadWriteMany", rwop: "ReadWriteOncePod" }[mode];
}

/** In Mi, Gi or Ti where it fits, which sizes of Longhorn do; else in bytes. */
function quantity(bytes: number): string {
  return bytes % 1024 ** 2 === 0 ? byteQuantity(bytes / 1024 ** 2) : String(bytes);
}
