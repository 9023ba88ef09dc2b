import { Failure } from "../../errors/failure.ts";
import { duration } from "../cli/moment.ts";
import type { PlannedVolume } from "./plan.ts";
import { claimText } from "./text.ts";

/** How it ended with a volume. */
export interface Ended {
  /** `there` was there before; `refused` has something in its way, `failed` may go on with the next run. */
  readonly result: "failed" | "refused" | "restored" | "there";
  /** Why, where it is not there. */
  readonly message: string | null;
}

/** What became of one volume. */
export interface Outcome extends Ended {
  readonly volume: string;
  readonly tenant: string;
  readonly namespace: string;
  readonly claim: string;
}

/** Of a volume for which nothing had to be done. */
export const there: Ended = { result: "there", message: null };

/**
 * Volumes that are worked on at once: as many as Longhorn restores on one node of the ProLiant, one more than on an OptiPlex
 * (`concurrentVolumeBackupRestorePerNodeLimit` of its values). The line is the bottleneck, not they.
 */
const atOnce = 3;

/** Milliseconds between two words about what is still going on. */
const heartbeat = 60_000;

/**
 * Works on volumes in their order, a few at once, and says how it goes. What fails for one volume is said of it, and keeps
 * no other from coming.
 *
 * @returns what became of each, by its name
 */
export async function eachVolume(
  volumes: readonly PlannedVolume[],
  note: (text: string) => void,
  work: (volume: PlannedVolume, note: (text: string) => void) => Promise<Ended>,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const waiting = [...volumes];
  const running = new Map<string, number>();
  const beat = setInterval(() => {
    for (const [name, started] of running) {
      note(`${name}: still on its way after ${duration(Date.now() - started)}`);
    }
  }, heartbeat);
  const worker = async (): Promise<void> => {
    for (let volume = waiting.shift(); volume !== undefined; volume = waiting.shift()) {
      const name = `${volume.tenant}: ${claimText(volume)} (${volume.volume})`;
      const started = Date.now();
      running.set(name, started);
      try {
        const ended = await work(volume, (text) => {
          note(`${name}: ${text}`);
        });
        outcomes.set(volume.volume, outcomeOf(volume, ended));
        note(`${name}: ${endText(ended, Date.now() - started)}`);
      } catch (error) {
        if (!(error instanceof Failure)) {
          throw error;
        }
        outcomes.set(volume.volume, outcomeOf(volume, { result: "failed", message: error.message }));
        note(`${name}: FAILED: ${error.message}`);
      } finally {
        running.delete(name);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    clearInterval(beat);
  }
  return outcomes;
}

/** What became of a volume. */
export function outcomeOf({ volume, tenant, namespace, claim }: PlannedVolume, ended: Ended): Outcome {
  return { volume, tenant, namespace, claim, ...ended };
}

/** Whether all is there. */
export function allThere(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ result }) => result === "restored" || result === "there");
}

/**
 * Tenants of whom everything is there, the guest's own datastore too: their guest may start.
 *
 * @param volumes Everything that was to come of them.
 */
export function wholeTenants(volumes: readonly PlannedVolume[], outcomes: readonly Outcome[]): string[] {
  return [...new Set(volumes.map(({ tenant }) => tenant))].filter(
    (name) =>
      volumes.some(({ tenant, isDatastore }) => tenant === name && isDatastore) &&
      allThere(outcomes.filter(({ tenant }) => tenant === name)),
  );
}

function endText({ result, message }: Ended, milliseconds: number): string {
  switch (result) {
    case "restored":
      return `done after ${duration(milliseconds)}`;
    case "there":
      return "is there";
    case "refused":
      return `REFUSED: ${message ?? ""}`;
    case "failed":
      return `FAILED: ${message ?? ""}`;
  }
}
