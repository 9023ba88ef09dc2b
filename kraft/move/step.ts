import { movedAtAnnotation } from "../../components/plan/move.ts";
import type { BackupVolume, Engine } from "../../cluster/objects.ts";
import {
  bindingStep,
  occupation,
  restoreFailure,
  type BindingStep,
  type Live,
  type LiveVolume,
} from "../restore/live.ts";
import type { PlannedVolume } from "../restore/plan.ts";

/** Longhorn's Volume, as far as it follows backups. */
export interface StandbyVolume extends LiveVolume {
  /** Longhorn does write it with a capital. */
  readonly spec: LiveVolume["spec"] & { readonly Standby?: boolean };
  readonly status?: LiveVolume["status"] & {
    readonly isStandby?: boolean;
    /** Name of the newest backup that Longhorn knows of in the volume's own target. */
    readonly lastBackup?: string;
  };
}

/** What the cluster that a volume moves to has of it. */
export interface LiveCopy extends Live {
  readonly volume: StandbyVolume | undefined;
  readonly engine: Pick<Engine, "status"> | undefined;
  /** In the target of the stack that the tenant leaves. */
  readonly backupVolume: BackupVolume | undefined;
  /** Whether Longhorn knows the backup that the volume is made from. */
  readonly backupKnown: boolean;
}

/** How far a volume is to come: up to the newest backup there is, or to life with exactly the last one. */
export type Goal =
  | { readonly phase: "copy" }
  | {
      readonly phase: "cutover";
      /** When it began, as RFC 3339. */
      readonly at: string;
      /** The backup that was made after everything had stopped; undefined for a volume that was brought to life before. */
      readonly last: string | undefined;
    };

/** What is to be done next about one volume. */
export type MoveStep =
  | BindingStep
  | { readonly step: "activate" | "begin" }
  /** Longhorn looks at the backups every five minutes, or when it is asked. */
  | { readonly step: "ask"; readonly for: string }
  | { readonly step: "wait"; readonly for: "Longhorn to begin" }
  | { readonly step: "refuse"; readonly reason: string };

/**
 * The next step of a volume on its way from another cluster, from whatever an earlier run left.
 *
 * A volume follows the backups of the other as what Longhorn calls standby. It is brought to life only after Longhorn has
 * restored the one backup that was made once nothing wrote any more. A volume that lives already by another move is never
 * taken for this one's: what was written after that move is not in it.
 */
export function nextMoveStep(planned: PlannedVolume, live: LiveCopy, goal: Goal): MoveStep {
  const { volume, backupVolume, engine } = live;
  const { fromBackup = "" } = volume?.spec ?? {};
  // It was made from the newest backup of its day, and there are newer ones of the same volume since.
  const same = sameSeries(fromBackup, planned.backup.url);
  const origin = same ? { ...planned, backup: { ...planned.backup, url: fromBackup } } : planned;
  const occupied = occupation(origin, live);
  if (occupied !== undefined) {
    return { step: "refuse", reason: occupied };
  }
  if (volume === undefined) {
    return live.backupKnown ? { step: "begin" } : { step: "ask", for: planned.backup.name };
  }
  const failure = restoreFailure(volume);
  if (failure !== undefined) {
    return {
      step: "refuse",
      reason: `Longhorn could not restore it: ${failure}; delete the copy, which touches no backup, and run this again: kubectl -n longhorn-system delete volumes.longhorn.io ${planned.volume}`,
    };
  }
  const { restoreInitiated, restoreRequired, isStandby, lastBackup = "" } = volume.status ?? {};
  const standby = volume.spec.Standby === true;
  if (!standby && (goal.phase === "copy" || volume.metadata.annotations?.[movedAtAnnotation] !== goal.at)) {
    return {
      step: "refuse",
      reason:
        "a copy of it lives here already, from an earlier move, and lacks what was written since: it was left as it is; see docs/moving.md",
    };
  }
  if (restoreInitiated !== true) {
    return { step: "wait", for: "Longhorn to begin" };
  }
  if (standby) {
    const aim = goal.phase === "copy" ? lastBackup : (goal.last ?? "");
    if (goal.phase === "cutover" && (backupVolume?.status?.lastBackupName !== aim || lastBackup !== aim)) {
      return { step: "ask", for: aim };
    }
    if (aim === "" || engine?.status?.lastRestoredBackup !== aim) {
      return { step: "wait", for: "the restore" };
    }
    return { step: goal.phase === "copy" ? "done" : "activate" };
  }
  if (isStandby !== false || restoreRequired !== false) {
    return { step: "wait", for: "the restore" };
  }
  return bindingStep(planned, volume, live);
}

/** What keeps a copy from following, in Longhorn's own words; empty where nothing does. It tries again by itself. */
export function restoreErrors(engine: Pick<Engine, "status"> | undefined): string {
  const errors = Object.values(engine?.status?.restoreStatus ?? {}).map((status) => status?.error ?? "");
  return [...new Set(errors.filter((error) => error !== ""))].join("; ");
}

/** Whether two backups, as Longhorn names them by URL, are of one volume in one target. */
function sameSeries(one: string, other: string): boolean {
  const series = (url: string): string | undefined => {
    if (!URL.canParse(url)) {
      return undefined;
    }
    const parsed = new URL(url);
    parsed.searchParams.delete("backup");
    return parsed.href;
  };
  return series(one) !== undefined && series(one) === series(other);
}
