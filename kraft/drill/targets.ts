import { tenantNames } from "../../components/plan/names.ts";
import { boundVolumes, claimOf, claimOfBackup, isOfDrill, newestBackup } from "../../cluster/longhorn.ts";
import type { Backup, BackupVolume, PersistentVolume, Volume } from "../../cluster/objects.ts";

/** One backup that a drill restores. */
export interface Target {
  /** Claim on the host that it is of. */
  readonly claim: string;
  readonly volume: string;
  readonly backup: string;
  readonly url: string;
  readonly snapshotCreatedAt: string;
  /** Bytes of the volume. */
  readonly volumeSize: number;
  /** Bytes of the backup, which have to be fetched. */
  readonly size: number;
  /** File system of the volume. */
  readonly fsType: string;
  readonly isDatastore: boolean;
}

/** What a drill would do, and why it would not. */
export interface DrillPlan {
  readonly targets: readonly Target[];
  /** Volumes that cannot be read without knowing what is in them. */
  readonly unchecked: readonly { readonly claim: string; readonly why: string }[];
  /** Volumes that ought to be restored and cannot. */
  readonly missing: readonly { readonly claim: string; readonly why: string }[];
}

/** What is known of volumes and backups. */
export interface Known {
  readonly volumes: readonly Volume[];
  readonly backups: readonly Backup[];
  readonly backupVolumes: readonly Omit<BackupVolume, "metadata">[];
  readonly persistentVolumes: readonly PersistentVolume[];
}

/**
 * The newest completed backup of every volume that a claim of the tenant is bound to. A tenant without any volume, as one
 * that is archived, is known by its backups alone: the newest of each claim.
 */
export function drillPlan(tenant: string, known: Known): DrillPlan {
  const { datastoreClaim } = tenantNames(tenant);
  const volumes = boundVolumes(known.volumes, tenant);
  const wanted =
    volumes.length > 0
      ? volumes.map((volume) => ({ claim: claimOf(volume), volume: volume.metadata.name }))
      : archivedVolumes(tenant, known.backups);
  const plan = {
    targets: [] as Target[],
    unchecked: [] as { claim: string; why: string }[],
    missing: [] as { claim: string; why: string }[],
  };
  for (const { claim, volume } of wanted) {
    const why = unreadable(volume, known);
    const backup = newestBackup(known.backups, volume);
    const url = backup?.status?.url ?? "";
    if (why !== undefined) {
      plan.unchecked.push({ claim, why });
    } else if (backup === undefined || url === "") {
      plan.missing.push({ claim, why: "has no completed backup" });
    } else {
      const { snapshotCreatedAt = "", size, volumeSize } = backup.status ?? {};
      plan.targets.push({
        claim,
        volume,
        backup: backup.metadata.name,
        url,
        snapshotCreatedAt,
        volumeSize: Number(volumeSize ?? 0),
        size: Number(size ?? 0),
        fsType: persistentVolumeOf(volume, known)?.spec?.csi?.fsType ?? "ext4",
        isDatastore: claim === datastoreClaim,
      });
    }
  }
  return plan;
}

function archivedVolumes(tenant: string, backups: readonly Backup[]): { claim: string; volume: string }[] {
  const { namespace } = tenantNames(tenant);
  const newest = new Map<string, Backup>();
  for (const backup of backups.filter(({ status }) => status?.state === "Completed")) {
    const { namespace: of, pvcName = "" } = claimOfBackup(backup) ?? {};
    const before = newest.get(pvcName);
    const isNewer = (backup.status?.snapshotCreatedAt ?? "") > (before?.status?.snapshotCreatedAt ?? "");
    if (of === namespace && pvcName !== "" && (before === undefined || isNewer)) {
      newest.set(pvcName, backup);
    }
  }
  return [...newest]
    .map(([claim, { status }]) => ({ claim, volume: status?.volumeName ?? "" }))
    .sort((a, b) => (a.claim < b.claim ? -1 : 1));
}

/** Why a restored volume could not be read as files; undefined where it can. */
function unreadable(name: string, known: Known): string | undefined {
  const volume = known.volumes.find(({ metadata }) => metadata.name === name);
  const labels = known.backupVolumes.find(({ spec }) => spec?.volumeName === name)?.status?.labels ?? {};
  const backupLabels = newestBackup(known.backups, name)?.status?.labels ?? {};
  // As longhorn-manager notes it with a backup (types.LonghornLabelVolumeEncrypted).
  const isEncrypted =
    volume?.spec?.encrypted === true ||
    labels["volume-encrypted"] === "enabled" ||
    backupLabels["volume-encrypted"] === "enabled";
  if (isEncrypted) {
    return "is encrypted: only who has its key can read it";
  }
  return persistentVolumeOf(name, known)?.spec?.volumeMode === "Block"
    ? "is a block device: only what wrote it can tell whether it is whole"
    : undefined;
}

function persistentVolumeOf(volume: string, { persistentVolumes }: Known): PersistentVolume | undefined {
  return persistentVolumes.find((candidate) => candidate.spec?.csi?.volumeHandle === volume && !isOfDrill(candidate));
}
