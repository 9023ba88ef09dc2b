import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../errors/failure.ts";

/** How long something may take, and who may cancel it. */
export interface Patience {
  /** When to give up, in milliseconds since the epoch. */
  readonly until: number;
  readonly signal?: AbortSignal;
  /**
   * Milliseconds for which `find` may go on failing, by default 0: a node that restarts takes its API server with it.
   */
  readonly outage?: number;
}

/** Milliseconds between the first two attempts, and at most between any two. */
const intervals = { first: 200, longest: 5000 } as const;

/**
 * Calls `find` until it finds something. Throws a Failure, which names `what` and what `state` says, when the time is
 * over, or the reason with which the signal was aborted.
 */
export async function waitFor<Value>(
  what: string,
  find: () => Promise<Value | undefined>,
  { until, signal, outage = 0 }: Patience,
  state: () => string = () => "",
): Promise<Value> {
  let answered = Date.now();
  for (let interval: number = intervals.first; ; interval = Math.min(intervals.longest, interval * 1.2)) {
    signal?.throwIfAborted();
    try {
      const value = await find();
      if (value !== undefined) {
        return value;
      }
      answered = Date.now();
    } catch (error) {
      if (!(error instanceof Failure) || Date.now() - answered >= outage) {
        throw error;
      }
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
