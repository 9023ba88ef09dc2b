import { permitCommand } from "../components/plan/deletion-permission.ts";
import { movedAtAnnotation } from "../components/plan/lifecycle.ts";
import { platformNamespaces } from "../components/plan/network/platform-policies.ts";
import { isStandby, isWhole, restoreFailure } from "./longhorn.ts";
import { type RestorableVolume, restoringLabel } from "./manifests.ts";
import {
  type BackupVolume,
  type Claim,
  condition,
  type Engine,
  type PersistentVolume,
  type Volume,
} from "./objects.ts";

/** How far a volume is to be brought. */
export type Goal =
  /** Restored from this cluster's own backups, bound to its claim, with its replicas and schedules. */
  | { readonly is: "restored"; readonly replicas: number }
  /** Restored, and detached again, but not bound yet: its claim has another volume. */
  | { readonly is: "filled" }
  /** A retained volume as it is, bound to its claim again. Nothing is restored, and its backups do not matter. */
  | { readonly is: "bound" }
  /** Restored and bound under a drill's name, to be deleted afterwards. */
  | { readonly is: "drilled" }
  /** A standby copy that has the newest backup of the stack it comes from. */
  | { readonly is: "copied"; readonly source: string }
  /** Moved: restored from exactly the last backup of the stack it comes from, bound, with its replicas and schedules. */
  | {
      readonly is: "moved";
      /** Longhorn's name of the backup target that it comes from. */
      readonly source: string;
      /** When the cutover began, as RFC 3339. */
      readonly at: string;
      /** The backup that was made after everything had stopped; undefined for a volume that was activated before. */
      readonly last: string | undefined;
      readonly replicas: number;
    };

/** Everything in the cluster that tells how far a volume is. */
export interface LiveObjects {
  readonly volume: Volume | undefined;
  readonly persistentVolume: PersistentVolume | undefined;
  readonly claim: Claim | undefined;
  /** Whether Longhorn knows the backup that the volume is made from. */
  readonly isBackupKnown: boolean;
  /** Of a volume that comes from another stack. */
  readonly engine?: Engine | undefined;
  /** What Longhorn knows of the backups of a volume that comes from another stack. */
  readonly backupVolume?: BackupVolume | undefined;
}

/** What to do next about a volume. */
export type Step =
  | ApplyStep
  /** Takes the old claim out of a released PersistentVolume, so that a new one of the same name may have it. */
  | { readonly step: "release" }
  | { readonly step: "done" }
  | { readonly step: "refuse"; readonly reason: string }
  | WaitStep;

/** A step that creates or raises objects. */
export type ApplyStep =
  { readonly step: "activate" | "bind" | "claim" | "create" } | { readonly step: "complete"; readonly size: string };

/** Something that Longhorn or Kubernetes has to do first. */
export type WaitStep =
  | { readonly step: "wait"; readonly for: "Longhorn to begin" | "its claim to be bound" }
  /** `said` is what Longhorn gives as the reason why it takes long; empty where it gives none. */
  | { readonly step: "wait"; readonly for: "a disk with room" | "the restore"; readonly said: string }
  /** Longhorn reads its backup targets every five minutes, or when it is asked. */
  | { readonly step: "sync"; readonly for: string };

/**
 * The next step towards the goal, from whatever an earlier run left: a run may end anywhere, and the next one decides
 * anew. A volume that exists is never changed unless it came from this very backup, or, in a move, from an earlier backup
 * of the same volume.
 *
 * A moved volume is activated only after Longhorn has restored the one backup that was made once nothing wrote any more.
 * One that an earlier move activated is never used for this one: it lacks what was written since.
 */
export function nextStep(wanted: RestorableVolume, live: LiveObjects, goal: Goal): Step {
  if (goal.is === "bound") {
    return retainedObstacle(wanted, live) ?? rebindStep(live);
  }
  if (goal.is === "restored" && isRetained(wanted, live)) {
    return rebindStep(live);
  }
  const { volume } = live;
  if (goal.is === "restored" && isFreeable(wanted, live)) {
    return { step: "release" };
  }
  const reason = obstacle(wanted, live, goal);
  if (reason !== undefined) {
    return { step: "refuse", reason };
  }
  if (volume === undefined) {
    return live.isBackupKnown ? { step: "create" } : { step: "sync", for: wanted.backup.name };
  }
  const failure = restoreFailure(volume);
  if (failure !== undefined) {
    const object = `volumes.longhorn.io ${wanted.volume} --namespace ${platformNamespaces.longhorn}`;
    const fix = `delete the volume that failed, which touches no backup, and run this again: ${permitCommand(object)} && kubectl delete ${object}`;
    // A drill deletes it itself.
    return {
      step: "refuse",
      reason: `Longhorn could not restore it: ${failure}${goal.is === "drilled" ? "" : `; ${fix}`}`,
    };
  }
  const activatedAt = volume.metadata.annotations?.[movedAtAnnotation];
  if (!isStandby(volume) && (goal.is === "copied" || (goal.is === "moved" && activatedAt !== goal.at))) {
    return {
      step: "refuse",
      reason:
        "an earlier move activated a copy of it here, which lacks what was written since: it was left as it is; see docs/moving.md",
    };
  }
  if (volume.status?.restoreInitiated !== true) {
    return { step: "wait", for: "Longhorn to begin" };
  }
  if (isStandby(volume) && (goal.is === "copied" || goal.is === "moved")) {
    return standbyStep(live, goal);
  }
  if (!isWhole(volume)) {
    return restoring(live, goal);
  }
  if (goal.is === "filled") {
    // Longhorn detaches it at the end of the restore.
    return volume.status.state === "detached" ? { step: "done" } : restoring(live, goal);
  }
  return bindStep(wanted, volume, live, goal);
}

/** A standby copy is up to date, or is activated once it has the last backup. */
function standbyStep(live: LiveObjects, goal: Goal & { readonly is: "copied" | "moved" }): Step {
  const { lastBackup = "" } = live.volume?.status ?? {};
  const aim = goal.is === "copied" ? lastBackup : (goal.last ?? "");
  if (goal.is === "moved" && (live.backupVolume?.status?.lastBackupName !== aim || lastBackup !== aim)) {
    return { step: "sync", for: aim };
  }
  if (aim === "" || live.engine?.status?.lastRestoredBackup !== aim) {
    return restoring(live, goal);
  }
  return { step: goal.is === "copied" ? "done" : "activate" };
}

/** The next step of a volume whose restore has ended: bind it to its claim, then give it replicas and schedules. */
function bindStep(wanted: RestorableVolume, volume: Volume, live: LiveObjects, goal: Goal): Step {
  if (live.persistentVolume === undefined || live.claim === undefined) {
    // Longhorn detaches it at the end of the restore.
    const step = live.persistentVolume === undefined ? "bind" : "claim";
    return volume.status?.state === "detached" ? { step } : restoring(live, goal);
  }
  if (live.claim.status?.phase !== "Bound") {
    return { step: "wait", for: "its claim to be bound" };
  }
  return volume.metadata.labels?.[restoringLabel] === undefined
    ? { step: "done" }
    : { step: "complete", size: volume.spec?.size ?? String(wanted.sizeBytes) };
}

function restoring({ volume, engine }: LiveObjects, goal: Goal): WaitStep {
  const scheduled = condition(volume?.status, "Scheduled");
  const unscheduled = scheduled?.status === "False" ? (scheduled.message ?? scheduled.reason ?? "") : "";
  return goal.is === "drilled" && scheduled?.status === "False"
    ? { step: "wait", for: "a disk with room", said: unscheduled }
    : { step: "wait", for: "the restore", said: restoreErrors(engine) };
}

/**
 * Whether the volume is retained, and its PersistentVolume is for this very claim: that of an archived tenant, or one whose
 * claim was deleted. It holds all that the backup does, and what was written since.
 */
function isRetained(wanted: RestorableVolume, { volume, persistentVolume, claim }: LiveObjects): boolean {
  return (
    volume !== undefined &&
    [volume, persistentVolume, claim].every((object) => object?.metadata.deletionTimestamp === undefined) &&
    volume.spec?.fromBackup !== wanted.backup.url &&
    volume.status?.restoreRequired !== true &&
    persistentVolume !== undefined &&
    isForClaim(wanted, persistentVolume) &&
    (claim === undefined || claim.spec?.volumeName === wanted.volume)
  );
}

/** Why a volume cannot simply be bound to its claim again; undefined where it can. */
function retainedObstacle(wanted: RestorableVolume, live: LiveObjects): Step | undefined {
  const { volume, persistentVolume, claim } = live;
  const reason =
    volume === undefined
      ? `Longhorn has no volume ${wanted.volume} any more`
      : (endingReason(live) ??
        (isWhole(volume) ? undefined : "a backup is being restored into it") ??
        (persistentVolume === undefined ? undefined : foreignReason(wanted, persistentVolume)) ??
        // A claim that waits for a volume takes the one that waits for it.
        ((claim?.spec?.volumeName ?? "") === "" ? undefined : claimReason(wanted, live)));
  return reason === undefined ? undefined : { step: "refuse", reason };
}

/** Whether only a PersistentVolume outlived a volume: the restored one of the same name is for the same claim. */
function isFreeable(wanted: RestorableVolume, live: LiveObjects): boolean {
  const { volume, persistentVolume, claim } = live;
  return (
    volume === undefined &&
    claim === undefined &&
    persistentVolume?.status?.phase === "Released" &&
    persistentVolume.metadata.deletionTimestamp === undefined &&
    isForClaim(wanted, persistentVolume)
  );
}

/** Binds a retained volume to its claim again. */
function rebindStep({ persistentVolume, claim }: LiveObjects): Step {
  if (claim?.status?.phase === "Bound") {
    return { step: "done" };
  }
  switch (persistentVolume?.status?.phase) {
    case undefined:
      return { step: "bind" };
    case "Released":
      return { step: "release" };
    case "Available":
      return claim === undefined ? { step: "claim" } : { step: "wait", for: "its claim to be bound" };
    default:
      // Bound to a claim that is gone: Kubernetes is about to notice.
      return { step: "wait", for: "its claim to be bound" };
  }
}

function isForClaim({ volume, namespace, claim }: RestorableVolume, { spec }: PersistentVolume): boolean {
  return spec?.csi?.volumeHandle === volume && spec.claimRef?.namespace === namespace && spec.claimRef.name === claim;
}

/** Why something that exists is in the way; undefined where nothing is. */
function obstacle(wanted: RestorableVolume, live: LiveObjects, goal: Goal): string | undefined {
  const { volume, persistentVolume } = live;
  const ending = endingReason(live);
  if (ending !== undefined) {
    return ending;
  }
  const { fromBackup = "" } = volume?.spec ?? {};
  const moves = goal.is === "copied" || goal.is === "moved";
  // A standby copy was made from the newest backup of its day; there are newer ones of the same volume since.
  if (
    volume !== undefined &&
    fromBackup !== wanted.backup.url &&
    !(moves && sameSeries(fromBackup, wanted.backup.url))
  ) {
    const origin = fromBackup === "" ? "and came from no backup" : `and came from ${fromBackup}`;
    return `a volume of this name exists ${origin}: it was left as it is`;
  }
  const foreign = persistentVolume === undefined ? undefined : foreignReason(wanted, persistentVolume);
  if (foreign !== undefined) {
    return foreign;
  }
  const phase = persistentVolume?.status?.phase;
  if (phase === "Released" || phase === "Failed") {
    return `its PersistentVolume is ${phase}, since its claim was deleted: free it for a new one with kubectl patch pv ${wanted.volume} --type=json -p '[{"op":"remove","path":"/spec/claimRef/uid"}]'`;
  }
  // A claim that waits for a volume takes the one that waits for it.
  const waits = phase === "Available" && (live.claim?.spec?.volumeName ?? "") === "";
  return goal.is === "filled" || waits ? undefined : claimReason(wanted, live);
}

/** What of a volume's objects is being deleted. */
function endingReason({ volume, persistentVolume, claim }: LiveObjects): string | undefined {
  for (const [kind, object] of Object.entries({ volume, PersistentVolume: persistentVolume, claim })) {
    if (object?.metadata.deletionTimestamp !== undefined) {
      return `the ${kind} ${object.metadata.name} is being deleted: wait until it is gone, or find out what holds it`;
    }
  }
  return undefined;
}

/** Why a PersistentVolume is not the one that is wanted. */
function foreignReason(wanted: RestorableVolume, persistentVolume: PersistentVolume): string | undefined {
  if (isForClaim(wanted, persistentVolume)) {
    return undefined;
  }
  const { claimRef, csi } = persistentVolume.spec ?? {};
  return csi?.volumeHandle === wanted.volume
    ? `its PersistentVolume belongs to the claim ${claimRef?.namespace ?? "?"}/${claimRef?.name ?? "?"}: it was left as it is`
    : "a PersistentVolume of this name exists for something else: it was left as it is";
}

/** Why the claim that is there is in the way. */
function claimReason(wanted: RestorableVolume, { claim }: LiveObjects): string | undefined {
  const named = `the claim ${wanted.namespace}/${wanted.claim}`;
  if (claim !== undefined && claim.spec?.volumeName !== wanted.volume) {
    const other = claim.spec?.volumeName ?? "";
    return `${named} exists ${other === "" ? "without a volume" : `with the volume ${other}`}: it was left as it is`;
  }
  const lost = `persistentvolumeclaims ${wanted.claim} --namespace ${wanted.namespace}`;
  return claim?.status?.phase === "Lost"
    ? `${named} has lost its volume: delete the claim and run this again: ${permitCommand(lost)} && kubectl delete ${lost}`
    : undefined;
}

/** Whether two backups, as Longhorn names them by URL, are of one volume in one target. */
function sameSeries(one: string, other: string): boolean {
  const [first, second] = [one, other].map((url) => {
    const parsed = URL.parse(url);
    parsed?.searchParams.delete("backup");
    return parsed?.href;
  });
  return first !== undefined && first === second;
}

/** What keeps a copy from following, in Longhorn's own words; empty where nothing does. Longhorn tries again by itself. */
export function restoreErrors(engine: Engine | undefined): string {
  const errors = Object.values(engine?.status?.restoreStatus ?? {}).map((status) => status?.error ?? "");
  return [...new Set(errors.filter((error) => error !== ""))].join("; ");
}
