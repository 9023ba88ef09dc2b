import { boundVolumes, claimOf, isOfDrill, newestBackup } from "../../cluster/longhorn.ts";
import type { Backup, PersistentVolume } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { tenantNames } from "../../components/plan/names.ts";
import { attachmentOf } from "../../infra/catalogue/metadata.ts";
import type { Listed } from "../cli/host.ts";

export interface Target {
  /** Claim on the host that it is of. */
  readonly claim: string;
  readonly volume: string;
  readonly backup: string;
  readonly url: string;
  readonly snapshotCreatedAt: string;
  readonly volumeSize: number;
  readonly fsType: string;
  readonly isDatastore: boolean;
}

/** What a drill restores, and what it does not. */
export interface DrillPlan {
  readonly targets: Target[];
  /** Volumes that cannot be read without knowing what is in them. */
  readonly unchecked: { readonly claim: string; readonly why: string }[];
  /** Volumes that ought to be restored and cannot. */
  readonly missing: { readonly claim: string; readonly why: string }[];
}

/** Everything in the cluster that a drill is planned from. */
export const plannedFrom = {
  volumes: paths.volumes.all,
  backups: paths.backups.all,
  backupVolumes: paths.backupVolumes.all,
  persistentVolumes: paths.persistentVolumes.all,
};

type Known = Listed<typeof plannedFrom>;

/**
 * The newest complete backup of every volume that a claim of the tenant is bound to. Of a tenant without any volume, such
 * as an archived one: the newest of each claim.
 */
export function drillPlan(tenant: string, known: Known): DrillPlan {
  const { datastoreClaim } = tenantNames(tenant);
  const volumes = boundVolumes(known.volumes, tenant);
  const wanted =
    volumes.length > 0
      ? volumes.map((volume) => ({ claim: claimOf(volume), volume: volume.metadata.name }))
      : archivedVolumes(tenant, known.backups);
  const plan: DrillPlan = { targets: [], unchecked: [], missing: [] };
  for (const { claim, volume } of wanted) {
    const why = unreadable(volume, known);
    const backup = newestBackup(known.backups, volume);
    const url = backup?.status?.url ?? "";
    if (why !== undefined) {
      plan.unchecked.push({ claim, why });
    } else if (backup === undefined || url === "") {
      plan.missing.push({ claim, why: "has no completed backup" });
    } else {
      const { snapshotCreatedAt = "", volumeSize } = backup.status ?? {};
      plan.targets.push({
        claim,
        volume,
        backup: backup.metadata.name,
        url,
        snapshotCreatedAt,
        volumeSize: Number(volumeSize ?? 0),
        fsType: persistentVolumeOf(volume, known)?.spec?.csi?.fsType ?? "ext4",
        isDatastore: claim === datastoreClaim,
      });
    }
  }
  return plan;
}

/** The volume of the newest complete backup of each claim. */
function archivedVolumes(tenant: string, backups: readonly Backup[]): { claim: string; volume: string }[] {
  const { namespace } = tenantNames(tenant);
  const taken = ({ status }: Backup): string => status?.snapshotCreatedAt ?? "";
  const newest = new Map(
    backups
      .filter(({ status }) => status?.state === "Completed")
      .sort((a, b) => (taken(a) < taken(b) ? -1 : 1))
      .flatMap((backup) => {
        const of = attachmentOf(backup.status?.labels ?? {});
        return of?.namespace === namespace ? [[of.claim, backup.status?.volumeName ?? ""] as const] : [];
      }),
  );
  return [...newest].map(([claim, volume]) => ({ claim, volume })).sort((a, b) => (a.claim < b.claim ? -1 : 1));
}

/** Why a restored volume could not be read as files; undefined where it can. */
function unreadable(name: string, known: Known): string | undefined {
  const volume = known.volumes.find(({ metadata }) => metadata.name === name);
  const backupVolume = known.backupVolumes.find(({ spec }) => spec?.volumeName === name);
  // As longhorn-manager notes it with a backup (types.LonghornLabelVolumeEncrypted).
  const isEncrypted = [backupVolume, newestBackup(known.backups, name)].some(
    (object) => object?.status?.labels?.["volume-encrypted"] === "enabled",
  );
  if (volume?.spec?.encrypted === true || isEncrypted) {
    return "is encrypted: it can only be read with its key";
  }
  return persistentVolumeOf(name, known)?.spec?.volumeMode === "Block"
    ? "is a block device: only what wrote it can tell whether it is whole"
    : undefined;
}

function persistentVolumeOf(volume: string, { persistentVolumes }: Known): PersistentVolume | undefined {
  return persistentVolumes.find((candidate) => candidate.spec?.csi?.volumeHandle === volume && !isOfDrill(candidate));
}
