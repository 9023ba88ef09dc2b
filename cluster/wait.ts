import { Failure, UsageError } from "../errors/failure.ts";
import { setTimeout as sleep } from "node:timers/promises";

/** How long something may take, and who may call it off. */
export interface Patience {
  /** When it is given up. */
  readonly until: number;
  readonly signal?: AbortSignal;
}

/** Milliseconds between the first two looks, and at most between any two. */
const intervals = { first: 200, longest: 5000 } as const;

/**
 * What `find` finds, as soon as it does.
 *
 * @param what Said if it does not, with what `state` tells of how far it came.
 * @throws Failure when the time is over, or the reason with which the signal was given.
 */
export async function waitFor<Value>(
  what: string,
  find: () => Promise<Value | undefined>,
  { until, signal }: Patience,
  state: () => string = () => "",
): Promise<Value> {
  for (let interval: number = intervals.first; ; interval = Math.min(intervals.longest, interval * 1.2)) {
    signal?.throwIfAborted();
    const value = await find();
    if (value !== undefined) {
      return value;
    }
    if (Date.now() >= until) {
      const now = state();
      throw new Failure(`${what}: not within the time allowed${now === "" ? "" : `; ${now}`}`);
    }
    await sleep(Math.min(interval, Math.max(1, until - Date.now())), undefined, { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  }
}

/** A signal that is given when the operator presses Ctrl-C or the system ends the program. */
export function interruption(): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const end = (name: string): void => {
    controller.abort(new Failure(`interrupted by ${name}`));
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  return {
    signal: controller.signal,
    stop: () => {
      process.off("SIGINT", end);
      process.off("SIGTERM", end);
    },
  };
}

/**
 * Milliseconds of an option that is given in minutes.
 *
 * @throws UsageError unless it is a number above 0.
 */
export function minutesOf(option: string, value: string | undefined, otherwise: number): number {
  const minutes = Number(value ?? otherwise);
  if (!(minutes > 0 && Number.isFinite(minutes))) {
    throw new UsageError(`${option} ${value ?? ""}: not a time\n  allowed: minutes, more than 0`);
  }
  return minutes * 60_000;
}
