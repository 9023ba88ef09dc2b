import { randomBytes } from "node:crypto";
import type { WritableHost } from "../../cluster/client.ts";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import { boundVolumes, claimOf, defaultTarget, isWhole, longhornVersion, volumesFor } from "../../cluster/longhorn.ts";
import type { Backup, KubernetesStatus, Snapshot, Volume } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { type Patience, waitFor } from "../../cluster/wait.ts";
import { platformNamespaces } from "../../components/plan/network/platform-policies.ts";
import { Failure, messageOf } from "../../errors/failure.ts";

/** Label on the snapshots that this verb takes; its value is the tenant's name. */
export const snapshotLabel = "kraft.dev/backup";

const fieldManager = "kraft-backup";

/** What came of one volume. `bytes` are the backup's, `uploadedBytes` what was new of them. */
export type BackupOutcome =
  | {
      readonly ok: true;
      readonly claim: string;
      readonly volume: string;
      readonly backup: string;
      readonly snapshotCreatedAt: string;
      readonly bytes: number;
      readonly uploadedBytes: number;
      readonly seconds: number;
    }
  | { readonly ok: false; readonly claim: string; readonly volume: string; readonly why: string };

/** What `kraft backup --json` prints. */
export interface BackupReport {
  readonly stack: string;
  readonly tenant: string;
  readonly ok: boolean;
  readonly volumes: readonly BackupOutcome[];
}

export interface BackupOrder {
  readonly stack: string;
  readonly tenant: string;
  /** Those that are meant, also if no claim is bound to them any more. Default: all that a claim is bound to. */
  readonly volumes?: readonly string[];
  readonly patience: Patience;
  readonly progress: (text: string) => void;
}

/** The volumes that an order means. If there is none, the Failure names those that there are. */
export function volumesToBackUp(volumes: readonly Volume[], tenant: string, only?: readonly string[]): Volume[] {
  if (only === undefined) {
    const bound = boundVolumes(volumes, tenant);
    if (bound.length === 0) {
      throw new Failure(`there is no volume that a claim of ${tenant} is bound to: nothing was backed up`);
    }
    return bound;
  }
  const known = volumesFor(volumes, tenant);
  return only.map((name) => {
    const volume = known.find(({ metadata }) => metadata.name === name);
    if (volume === undefined) {
      throw new Failure(
        `${name} is no volume of ${tenant}\n  allowed: ${known.map(({ metadata }) => metadata.name).join(", ") || "there is none"}`,
      );
    }
    return volume;
  });
}

/**
 * Backs up volumes of a tenant now: a snapshot of each at once, so that they fit together, then one backup after the
 * other, since the uplink is the bottleneck. A backup of the same volume that Longhorn is still uploading, as a run that was
 * killed left it, is waited for: the newest backup of a volume is the one whose upload ended last, whatever it is of
 * (performBackup of deltablock.go in Longhorn's backupstore).
 */
export async function backUp(host: WritableHost, order: BackupOrder): Promise<BackupReport> {
  const { tenant, patience, progress } = order;
  const all = await host.list(paths.volumes.all);
  const volumes = volumesToBackUp(all, tenant, order.volumes);
  const id = randomBytes(8).toString("hex");
  progress(`a snapshot of ${volumes.length === 1 ? "the volume" : `${volumes.length} volumes`}`);
  const attempts = volumes.map((volume, index) => {
    const name = `kraft-${id}-${index}`;
    return { volume, name, taken: snapshot(host, tenant, volume, name, patience) };
  });
  await Promise.allSettled(attempts.map(({ taken }) => taken));
  const outcomes: BackupOutcome[] = [];
  for (const [index, { volume, name, taken }] of attempts.entries()) {
    const named = { claim: claimOf(volume), volume: volume.metadata.name };
    // What fails for one volume is said of it, and keeps no other from being backed up.
    try {
      await taken;
      await othersUploaded(host, volume, order);
      progress(`uploading ${named.claim} (${index + 1} of ${volumes.length})`);
      const begun = Date.now();
      const { metadata, status } = await backup(host, volume, name, patience);
      outcomes.push({
        ok: true,
        ...named,
        backup: metadata.name,
        snapshotCreatedAt: status?.snapshotCreatedAt ?? "",
        bytes: Number(status?.size ?? 0),
        uploadedBytes: Number(status?.newlyUploadDataSize ?? 0),
        seconds: Math.round((Date.now() - begun) / 1000),
      });
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      outcomes.push({ ok: false, ...named, why: messageOf(error) });
      continue;
    }
    await removeOlderSnapshots(host, volume, name);
  }
  return { stack: order.stack, tenant, ok: outcomes.every(({ ok }) => ok), volumes: outcomes };
}

async function snapshot(
  host: WritableHost,
  tenant: string,
  volume: Volume,
  name: string,
  patience: Patience,
): Promise<void> {
  if (!isWhole(volume)) {
    throw new Failure("is being restored itself");
  }
  const path = paths.snapshots.named(name);
  await host.apply(
    path,
    {
      apiVersion: longhornVersion,
      kind: "Snapshot",
      metadata: { name, namespace: platformNamespaces.longhorn, labels: { [snapshotLabel]: tenant } },
      spec: { volume: volume.metadata.name, createSnapshot: true },
    },
    fieldManager,
  );
  let last: Snapshot["status"];
  await waitFor(
    "taking a snapshot",
    async () => {
      last = (await host.get(path))?.status;
      return last?.readyToUse === true ? true : undefined;
    },
    patience,
    // Longhorn says so while it attaches a volume too: not a reason to give up.
    () => last?.error ?? "",
  );
}

/** Waits until no backup of a volume that somebody else began is unfinished. */
async function othersUploaded(
  host: WritableHost,
  volume: Volume,
  { patience, progress }: Pick<BackupOrder, "patience" | "progress">,
): Promise<void> {
  const ofVolume = labelled(paths.backups.all, `backup-volume=${volume.metadata.name}`);
  let names: readonly string[] = [];
  let isTold = false;
  await waitFor(
    "waiting for an earlier backup of the same volume",
    async () => {
      names = (await host.list(ofVolume)).filter(isUploading).map((backup) => backup.metadata.name);
      if (names.length === 0) {
        return true;
      }
      if (!isTold) {
        progress(`waiting until Longhorn has uploaded an earlier backup of ${claimOf(volume)}: ${names.join(", ")}`);
        isTold = true;
      }
      return undefined;
    },
    patience,
    () => `Longhorn is still uploading ${names.join(", ")}`,
  );
}

/** Whether Longhorn has yet to make a backup, or is at it. One that it found in its target has no snapshot. */
function isUploading({ metadata, spec, status }: Backup): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    (spec?.snapshotName ?? "") !== "" &&
    ["", "Pending", "InProgress"].includes(status?.state ?? "")
  );
}

/**
 * The labels that Longhorn's own API writes on a backup (api/snapshot.go of longhorn-manager): whose claim it is, without
 * which nobody could tell after a rebuild.
 */
export function backupLabels(volume: Volume): Readonly<Record<string, string>> {
  const known: KubernetesStatus = volume.status?.kubernetesStatus ?? {};
  const { pvName = "", pvStatus = "", namespace = "", pvcName = "", lastPVCRefAt = "" } = known;
  const { workloadsStatus = null, lastPodRefAt = "" } = known;
  const text = { pvName, pvStatus, namespace, pvcName, lastPVCRefAt, workloadsStatus, lastPodRefAt };
  return { KubernetesStatus: JSON.stringify(text) };
}

async function backup(host: WritableHost, volume: Volume, snapshotName: string, patience: Patience): Promise<Backup> {
  const name = `backup-${randomBytes(8).toString("hex")}`;
  const path = paths.backups.named(name);
  await host.apply(
    path,
    {
      apiVersion: longhornVersion,
      kind: "Backup",
      metadata: {
        name,
        namespace: platformNamespaces.longhorn,
        labels: {
          "backup-volume": volume.metadata.name,
          "backup-target": volume.spec?.backupTargetName ?? defaultTarget,
        },
      },
      spec: { snapshotName, labels: backupLabels(volume) },
    },
    fieldManager,
  );
  let last: Backup | undefined;
  return waitFor(
    "uploading",
    async () => {
      last = await host.get(path);
      const state = last?.status?.state ?? "";
      if (last === undefined) {
        throw new Failure(`the backup ${name} is gone: Longhorn, or somebody, deleted it`);
      }
      if (state === "Error" || state === "Unknown") {
        throw new Failure(`Longhorn could not make the backup: ${last.status?.error ?? state}`);
      }
      return state === "Completed" ? last : undefined;
    },
    patience,
    () =>
      `the backup ${name} is ${last?.status?.state ?? ""}, ${last?.status?.progress ?? 0} %; Longhorn goes on with it`,
  );
}

/**
 * Longhorn needs the snapshot of the last backup, to upload only what changed since. The ones before it, of this verb, only
 * hold disk.
 */
async function removeOlderSnapshots(host: WritableHost, { metadata }: Volume, newest: string): Promise<void> {
  const snapshots = await host.list(labelled(paths.snapshots.all, snapshotLabel));
  for (const old of snapshots) {
    if (old.spec?.volume === metadata.name && old.metadata.name !== newest) {
      await deleteGuarded(host, paths.snapshots.named(old.metadata.name), old.metadata.uid);
    }
  }
}
