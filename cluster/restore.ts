import { Failure } from "../errors/failure.ts";
import type { Host, WritableHost } from "./client.ts";
import {
  claimManifest,
  type Manifest,
  persistentVolumeManifest,
  type RestorableVolume,
  volumeManifest,
} from "./manifests.ts";
import type { BackupTarget, BackupVolume } from "./objects.ts";
import { labelled, paths } from "./paths.ts";
import { type ApplyStep, type Goal, type LiveObjects, nextStep, type Step, type WaitStep } from "./restore-step.ts";
import { freeForItsClaim } from "./vacate-claim.ts";
import { type Patience, waitFor } from "./wait.ts";

/** How a volume is restored. */
export interface RestoreOptions {
  /** Owner of the fields in the API server. */
  readonly fieldManager: string;
  /** How long it may take in all. */
  readonly patience?: Patience;
  /** Called with each step, also one that waits, when it is reached. */
  readonly onStep?: (step: Step) => void;
}

/** How the restore of a volume ended. */
export interface RestoreResult {
  /** `there` was there before; `refused` has something in its way. */
  readonly result: "refused" | "restored" | "there";
  /** Why it was refused. */
  readonly message: string | null;
}

const minute = 60_000;

/** Milliseconds for which each thing may take. A download takes as long as it takes. */
const limits = {
  sync: 11 * minute,
  "Longhorn to begin": 11 * minute,
  "its claim to be bound": 11 * minute,
  "a disk with room": minute,
  "the restore": Infinity,
} as const satisfies Record<(WaitStep & { readonly step: "wait" })["for"] | "sync", number>;

/** Milliseconds for which the API server may not answer. Hours of download need not end for that. */
const outage = 5 * minute;

/** Milliseconds between two requests to read a backup target. */
const syncInterval = minute / 2;

/** A volume that is given up in this run. */
interface Failed {
  readonly step: "fail";
  readonly reason: string;
}

/**
 * Takes a volume from step to step until the goal is reached or something is in its way. It creates and raises, and never
 * deletes; if it is interrupted, the next run continues from what exists.
 *
 * @throws Failure where something did not happen in time; the next run may continue.
 */
export async function restoreVolume(
  host: WritableHost,
  wanted: RestorableVolume,
  goal: Goal,
  { fieldManager, patience, onStep }: RestoreOptions,
): Promise<RestoreResult> {
  let live: LiveObjects | undefined;
  let changed = false;
  let reached = "";
  let waiting: { readonly for: string; readonly since: number } | undefined;
  let syncedAt = -Infinity;

  /** The next step to take, or why to give up; undefined while there is something to wait for. */
  const look = async (): Promise<Exclude<Step, WaitStep> | Failed | undefined> => {
    const existed = live?.volume !== undefined;
    live = await liveObjects(host, wanted, goal);
    if (existed && live.volume === undefined) {
      return { step: "fail", reason: `somebody deleted the volume ${wanted.volume} while it was restored` };
    }
    const next = nextStep(wanted, live, goal);
    if (JSON.stringify(next) !== reached) {
      reached = JSON.stringify(next);
      onStep?.(next);
    }
    if (next.step !== "wait" && next.step !== "sync") {
      waiting = undefined;
      return next;
    }
    changed ||= next.step === "wait";
    if (waiting?.for !== next.for) {
      waiting = { for: next.for, since: Date.now() };
    }
    const limit = limits[next.step === "sync" ? "sync" : next.for];
    if (Date.now() - waiting.since > limit) {
      return { step: "fail", reason: waitedText(next, limit) };
    }
    if (next.step === "sync" && "source" in goal && Date.now() - syncedAt > syncInterval) {
      await requestSync(host, goal.source, live);
      syncedAt = Date.now();
    }
    return undefined;
  };

  for (;;) {
    const step = await waitFor("restoring the backup", look, { until: Infinity, outage, ...patience }, () => {
      return `the volume is ${live?.volume?.status?.state ?? "not known to Longhorn yet"}`;
    });
    switch (step.step) {
      case "done":
        return { result: changed ? "restored" : "there", message: null };
      case "refuse":
        return { result: "refused", message: step.reason };
      case "fail":
        throw new Failure(step.reason);
      case "release":
        await freeForItsClaim(host, wanted.volume);
        break;
      case "activate":
      case "bind":
      case "claim":
      case "complete":
      case "create":
        for (const { path, object } of manifestsOf(step, wanted, goal)) {
          await host.apply(path, object, fieldManager);
        }
    }
    changed = true;
  }
}

/** What to apply for a step. */
function manifestsOf(step: ApplyStep, wanted: RestorableVolume, goal: Goal): Manifest[] {
  const source = sourceOf(goal);
  const activatedAt = goal.is === "moved" ? goal.at : undefined;
  switch (step.step) {
    case "create":
      return [volumeManifest(wanted, { source })];
    case "activate":
      return [volumeManifest(wanted, { source, activatedAt })];
    case "bind":
      return [persistentVolumeManifest(wanted), claimManifest(wanted)];
    case "claim":
      return [claimManifest(wanted)];
    case "complete": {
      const replicas = "replicas" in goal ? goal.replicas : 1;
      return [volumeManifest(wanted, { source, activatedAt, complete: { replicas, size: step.size } })];
    }
  }
}

function sourceOf(goal: Goal): string | undefined {
  return "source" in goal ? goal.source : undefined;
}

/** Whether there is nothing left to do. */
export async function isRestored(host: Host, wanted: RestorableVolume, goal: Goal): Promise<boolean> {
  return nextStep(wanted, await liveObjects(host, wanted, goal), goal).step === "done";
}

/** Reads everything that tells how far a volume is. */
async function liveObjects(host: Host, wanted: RestorableVolume, goal: Goal): Promise<LiveObjects> {
  const source = sourceOf(goal);
  const { volume: name, namespace, claim: claimName, backup } = wanted;
  // The labels are Longhorn's (types/types.go of longhorn-manager 1.12).
  const engines = labelled(paths.engines.all, `longhornvolume=${name}`);
  const backupVolumes = labelled(paths.backupVolumes.all, `backup-target=${source ?? ""}`, `backup-volume=${name}`);
  const [volume, persistentVolume, claim, known, [engine], [backupVolume]] = await Promise.all([
    host.get(paths.volumes.named(name)),
    host.get(paths.persistentVolumes.named(name)),
    host.get(paths.claims.named(namespace, claimName)),
    // A retained volume comes from none.
    goal.is === "bound" ? undefined : host.get(paths.backups.named(backup.name)),
    source === undefined ? [] : host.list(engines),
    source === undefined ? [] : host.list(backupVolumes),
  ]);
  return { volume, persistentVolume, claim, isBackupKnown: known !== undefined, engine, backupVolume };
}

/** Asks Longhorn to read the backups of a volume now, or its whole target if it does not know the volume yet. */
async function requestSync(host: WritableHost, source: string, { backupVolume }: LiveObjects): Promise<void> {
  const path =
    backupVolume === undefined
      ? paths.backupTargets.named(source)
      : paths.backupVolumes.named(backupVolume.metadata.name);
  const { status } = (await host.get<BackupTarget | BackupVolume>(path)) ?? {};
  const synced = Date.parse(status?.lastSyncedAt ?? "");
  // Kubernetes keeps times to the second, and Longhorn only reads if it was asked later than it last did.
  const at = Math.max(Date.now(), Number.isNaN(synced) ? 0 : synced + 1000);
  await host.merge(path, { spec: { syncRequestedAt: `${new Date(at).toISOString().slice(0, 19)}Z` } });
}

/** Why a wait was given up. */
function waitedText(step: WaitStep, limit: number): string {
  const time = `${limit / minute} min`;
  const what =
    step.step === "sync"
      ? `Longhorn still does not know the backup ${step.for} after ${time}`
      : `waited ${time} for ${step.for}${"said" in step && step.said !== "" ? `: ${step.said}` : ""}`;
  return `${what}\n  See what Longhorn says: npx kraft status`;
}
