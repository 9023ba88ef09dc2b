import type { WritableHost } from "../../cluster/client.ts";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import { isOfDrill, isWhole, longhornDriver, nonEmpty } from "../../cluster/longhorn.ts";
import type { PersistentVolume, Volume } from "../../cluster/objects.ts";
import { paths } from "../../cluster/paths.ts";
import { type Patience, waitFor } from "../../cluster/wait.ts";
import { tenantLabel, tenantOfNamespace } from "../../components/plan/names.ts";
import { Failure } from "../../errors/failure.ts";
import { listAll, type Listed } from "../cli/host.ts";
import { moment } from "../cli/moment.ts";

/** Everything that tells whether a volume is still needed. */
const collections = {
  volumes: paths.volumes.all,
  persistentVolumes: paths.persistentVolumes.all,
  claims: paths.claims.all,
  namespaces: paths.namespaces.all,
};

export type Seen = Listed<typeof collections>;

/** A volume that holds disk and that no claim has any more. Sizes are bytes, times RFC 3339. */
export interface Released {
  readonly volume: string;
  /** Null where the cluster has none over it. */
  readonly persistentVolume: string | null;
  readonly tenant: string | null;
  /** The claim that it was for, as it was called on the host. */
  readonly claim: string | null;
  readonly bytes: number;
  /** What it holds on each node with a copy of it. */
  readonly usedBytes: number;
  /** When its claim was last there; null where Longhorn does not know. */
  readonly releasedAt: string | null;
  /** When the snapshot of its last completed backup was taken. */
  readonly lastBackupAt: string | null;
}

/** Every Longhorn volume whose claim is gone: its PersistentVolume is Released, or is gone too. */
export function released(seen: Seen, now: Date): Released[] {
  return seen.volumes
    .filter((volume) => reasonsToKeep(volume, seen).length === 0 && !mayBeRestored(volume, seen, now))
    .map((volume) => describe(volume, seen))
    .sort((a, b) => (`${a.tenant ?? "~"} ${a.claim ?? "~"}` < `${b.tenant ?? "~"} ${b.claim ?? "~"}` ? -1 : 1));
}

function describe(volume: Volume, seen: Seen): Released {
  const { metadata, spec, status } = volume;
  const persistentVolume = persistentVolumesOf(metadata.name, seen)[0];
  const known = status?.kubernetesStatus;
  const namespace = persistentVolume?.spec?.claimRef?.namespace ?? known?.namespace;
  return {
    volume: metadata.name,
    persistentVolume: persistentVolume?.metadata.name ?? null,
    tenant: tenantOf(namespace, seen),
    claim: nonEmpty(persistentVolume?.spec?.claimRef?.name ?? known?.pvcName) ?? null,
    bytes: Number(spec?.size ?? 0),
    usedBytes: status?.actualSize ?? 0,
    releasedAt: nonEmpty(known?.lastPVCRefAt) ?? null,
    lastBackupAt: nonEmpty(status?.lastBackupAt) ?? null,
  };
}

/** By the label of the namespace; where that is gone with its tenant, by its name. */
function tenantOf(namespace: string | undefined, { namespaces }: Seen): string | null {
  const found = namespaces.find(({ metadata }) => metadata.name === namespace)?.metadata.labels?.[tenantLabel];
  return found ?? tenantOfNamespace(namespace ?? "") ?? null;
}

function persistentVolumesOf(volume: string, { persistentVolumes }: Seen): PersistentVolume[] {
  return persistentVolumes.filter(
    ({ spec }) => spec?.csi?.driver === longhornDriver && spec.csi.volumeHandle === volume,
  );
}

/** Why a volume may still be somebody's, whatever its operator says: each alone is enough never to delete it. */
export function reasonsToKeep(volume: Volume, seen: Seen): string[] {
  const { name } = volume.metadata;
  const { state } = volume.status ?? {};
  const over = persistentVolumesOf(name, seen);
  const names = [name, ...over.map(({ metadata }) => metadata.name)];
  const claims = seen.claims.filter(({ spec }) => names.includes(spec?.volumeName ?? ""));
  return [
    ...(isOfDrill(volume) ? ["it is a drill's, which removes it itself"] : []),
    ...over
      .filter(({ status }) => status?.phase !== "Released")
      .map(({ metadata, status }) => `its PersistentVolume ${metadata.name} is ${status?.phase ?? "in no phase yet"}`),
    ...claims.map(({ metadata }) => `the claim ${metadata.namespace ?? ""}/${metadata.name} names it`),
    ...(state === "detached" ? [] : [`it is ${state ?? "new to Longhorn"}: only a detached volume is used by nobody`]),
    ...(isWhole(volume) ? [] : ["a backup is being restored into it"]),
  ];
}

/** Milliseconds for which a restored volume may wait for its PersistentVolume. */
const restorePatience = 24 * 3_600_000;

/** Whether somebody may be restoring a claim right now, and has come as far as the volume. */
function mayBeRestored(volume: Volume, seen: Seen, now: Date): boolean {
  const created = Date.parse(volume.metadata.creationTimestamp ?? "");
  return (
    (volume.spec?.fromBackup ?? "") !== "" &&
    persistentVolumesOf(volume.metadata.name, seen).length === 0 &&
    !(now.getTime() - created > restorePatience)
  );
}

/**
 * Why a released volume must not be deleted yet: the last backup is older than the claim's end, or there is none. Longhorn
 * gives the time of a backup's snapshot, to the second.
 */
export function backupMissing({ volume, tenant, releasedAt, lastBackupAt }: Released): string | undefined {
  const how = `back it up first: npx kraft backup ${tenant ?? "<tenant>"} --volume ${volume}`;
  if (lastBackupAt === null) {
    return `it was never backed up; ${how}`;
  }
  if (releasedAt === null) {
    return `when its claim was deleted is not known, so that its last backup (${moment(new Date(lastBackupAt))}) may be older; ${how}, and then say --without-backup`;
  }
  return Date.parse(lastBackupAt) >= Date.parse(releasedAt)
    ? undefined
    : `its last backup (${moment(new Date(lastBackupAt))}) is older than the end of its claim (${moment(new Date(releasedAt))}); ${how}`;
}

/** The volume of that name; a Failure with every reason why it must not be deleted. */
export function deletable(name: string, seen: Seen, now: Date, withoutBackup: boolean): Released {
  const volume = seen.volumes.find(({ metadata }) => metadata.name === name);
  if (volume === undefined) {
    const names = released(seen, now).map(({ volume: known }) => known);
    throw new Failure(`Longhorn has no volume ${name}\n  released: ${names.join(", ") || "none"}`);
  }
  const found = describe(volume, seen);
  const missing = withoutBackup ? undefined : backupMissing(found);
  refuse(name, [
    ...reasonsToKeep(volume, seen),
    ...(mayBeRestored(volume, seen, now)
      ? ["it was restored within the last day and has no PersistentVolume yet: somebody may be restoring it"]
      : []),
    ...(missing === undefined ? [] : [missing]),
  ]);
  return found;
}

function refuse(name: string, reasons: readonly string[]): void {
  if (reasons.length > 0) {
    throw new Failure(`${name} was not deleted:\n${reasons.map((reason) => `  ${reason}`).join("\n")}`);
  }
}

/** Asks the cluster for all of it. */
export function see(host: WritableHost): Promise<Seen> {
  return listAll(host, collections);
}

/**
 * Deletes one released volume: its PersistentVolume first, so that nothing is left that names it, then Longhorn's Volume.
 * Its backups stay: deleting Longhorn's objects for them would empty the bucket. Refuses as `deletable` does.
 */
export async function reclaim(
  host: WritableHost,
  name: string,
  withoutBackup: boolean,
  patience: Patience,
): Promise<Released> {
  const seen = await see(host);
  const found = deletable(name, seen, new Date(), withoutBackup);
  for (const { metadata } of persistentVolumesOf(name, seen)) {
    const path = paths.persistentVolumes.named(metadata.name);
    await host.delete(path, metadata.uid);
    await gone(host, path, patience);
  }
  const now = await see(host);
  const volume = now.volumes.find(({ metadata }) => metadata.name === name);
  // Somebody may have put another PersistentVolume over it meanwhile.
  refuse(name, volume === undefined ? [] : reasonsToKeep(volume, now));
  const path = paths.volumes.named(name);
  if (volume !== undefined) {
    await deleteGuarded(host, path, volume.metadata.uid);
  }
  await gone(host, path, patience);
  return found;
}

function gone(host: WritableHost, path: string, patience: Patience): Promise<true> {
  return waitFor(
    `deleting ${path}`,
    async () => ((await host.get(path)) === undefined ? true : undefined),
    patience,
    () => "it is deleted as soon as what holds it lets go: run the same again to see",
  );
}
