import { drillLabel } from "../components/plan/drill.ts";
import { guestName, tenantNames } from "../components/plan/names.ts";
import { type Backup, condition, type KubernetesObject, type KubernetesStatus, type Volume } from "./objects.ts";

export { defaultTarget } from "../components/plan/storage.ts";

export const longhornVersion = "longhorn.io/v1beta2";

export const longhornDriver = "driver.longhorn.io";

/** Label of a volume in a group of recurring jobs. */
export function groupLabel(group: string): string {
  return `recurring-job-group.longhorn.io/${group}`;
}

/** Longhorn writes an empty text where there is nothing. */
export function nonEmpty(text: string | null | undefined): string | undefined {
  return text === null || text === "" ? undefined : text;
}

/** Whether a volume follows the backups of another one: nothing can use it, and it has no backups of its own. */
export function isStandby({ spec }: Volume): boolean {
  return spec?.Standby === true;
}

/**
 * Whether a volume holds all of its data: it was not made from a backup, or its restore has finished.
 *
 * Longhorn sets `restoreRequired` together with `restoreInitiated`, which then stays, and takes it away only once the last
 * backup is in every copy (`checkAndInitVolumeRestore` and `checkAndFinishVolumeRestore` in controller/volume_controller.go
 * of longhorn-manager 1.12). Until it has looked at a new volume nothing is required of it either, and another of its
 * controllers may write a status first: so `restoreRequired: false` alone proves nothing, and all signs have to agree.
 * Whether the volume is detached is another question: one that is in use is whole too.
 */
export function isWhole(volume: Volume): boolean {
  const { state, restoreInitiated, restoreRequired, isStandby: follows } = volume.status ?? {};
  if ((volume.spec?.fromBackup ?? "") === "") {
    return restoreRequired !== true;
  }
  return (
    restoreInitiated === true &&
    restoreRequired === false &&
    state !== "creating" &&
    follows !== true &&
    !isStandby(volume)
  );
}

/** Whether a pod uses a volume now. */
export function isInUse({ status }: Volume): boolean {
  return (status?.kubernetesStatus?.workloadsStatus ?? []).length > 0 && inUseSince(status?.kubernetesStatus);
}

/** Longhorn leaves the last pods in the list, with the time at which the last was gone. */
function inUseSince(known: KubernetesStatus | undefined): boolean {
  return nonEmpty(known?.lastPodRefAt) === undefined;
}

/**
 * Whether nothing was ever written to a volume: no pod has used it, it came from no backup, and it holds no block. Each sign
 * alone may be missing of a volume with data: Longhorn forgets pods together with the PersistentVolume.
 */
export function isUnused(volume: Volume): boolean {
  const { actualSize = 0, kubernetesStatus } = volume.status ?? {};
  return (
    (volume.spec?.fromBackup ?? "") === "" &&
    actualSize === 0 &&
    nonEmpty(kubernetesStatus?.lastPodRefAt) === undefined &&
    (kubernetesStatus?.workloadsStatus ?? []).length === 0
  );
}

/**
 * What Longhorn says of a restore that failed for good (`RestoreFailure` in controller/volume_controller.go). Never of a
 * volume that was whole once, whatever became of it: it holds what was written since.
 */
export function restoreFailure({ status }: Volume): string | undefined {
  if (status?.restoreRequired !== true) {
    return undefined;
  }
  const restore = condition(status, "Restore");
  const failed =
    restore?.reason === "RestoreFailure" || (status.robustness === "faulted" && status.state === "detached");
  return failed ? (restore?.message ?? "every copy of it is faulted") : undefined;
}

/** The newest complete backup of a volume, by when its snapshot was taken. One that is being deleted does not count. */
export function newestBackup(backups: readonly Backup[], volume: string): Backup | undefined {
  const taken = ({ status }: Backup): number => Date.parse(status?.snapshotCreatedAt ?? "");
  return backups
    .filter(
      ({ metadata, status }) =>
        status?.state === "Completed" && status.volumeName === volume && metadata.deletionTimestamp === undefined,
    )
    .sort((a, b) => taken(a) - taken(b))
    .at(-1);
}

/** Whether a drill made it. Such a volume names the tenant's claim too, as its backup does. */
export function isOfDrill({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.[drillLabel] !== undefined;
}

/** The volumes that are or were for claims of a tenant. */
export function volumesFor(volumes: readonly Volume[], tenant: string): Volume[] {
  const { namespace } = tenantNames(tenant);
  return volumes.filter((volume) => !isOfDrill(volume) && volume.status?.kubernetesStatus?.namespace === namespace);
}

/** The volumes that claims of a tenant are bound to, by the claims' names. */
export function boundVolumes(volumes: readonly Volume[], tenant: string): Volume[] {
  return volumesFor(volumes, tenant)
    .filter(({ status }) => status?.kubernetesStatus?.pvStatus === "Bound")
    .sort((a, b) => (claimOf(a) < claimOf(b) ? -1 : 1));
}

/** Name of the claim on the host that a volume is or was for. */
export function claimOf({ status, metadata }: Volume): string {
  return nonEmpty(status?.kubernetesStatus?.pvcName) ?? metadata.name;
}

/** What the operator reads in place of a claim's name on the host. */
export function claimText(tenant: string, claim: string): string {
  return claim === tenantNames(tenant).datastoreClaim ? "datastore" : claim;
}

/** A claim as the tenant knows it: `datastore`, `shop/data`; the host's name where that does not tell. */
export function guestClaimText(tenant: string, claim: string): string {
  const guest = guestName(tenantNames(tenant).cluster, claim);
  return guest === undefined ? claimText(tenant, claim) : `${guest.namespace}/${guest.name}`;
}
