import { countingDays } from "../../components/plan/utc-day.ts";
import { type Change, isDestructive } from "./change.ts";

/** Changes that would lose data of one owner and are not confirmed. */
export interface Blocked {
  readonly owner: string;
  readonly changes: readonly Change[];
  /** The line that would confirm them, with today's date. */
  readonly line: string;
}

/** Whether changes may go ahead. */
export interface Verdict {
  /** Owners whose data would be lost without their confirmation. */
  readonly blocked: readonly Blocked[];
  /** Owners whose loss of data is confirmed. */
  readonly confirmed: readonly string[];
}

/** What is said beside the changes themselves. */
export interface Circumstances {
  readonly stack: string;
  readonly verdict: Verdict;
  /** Sentences for the end: where the changes come from, and what they do not show. */
  readonly notes?: readonly string[];
}

/**
 * Blocks every change that deletes or replaces an object that holds data, until a line of its own in the pull request's
 * description confirms it for each owner: `Kraft-confirm: <tenant or platform> <YYYY-MM-DD>`. The date must be today's or
 * yesterday's in UTC, so that last week's approval does not cover what was added since.
 */
export function verdictOn(changes: readonly Change[], description: string, now: Date): Verdict {
  const valid = countingDays(now);
  const confirmations = new Set(
    confirmationsIn(description)
      .filter(({ date }) => valid.includes(date))
      .map(({ owner }) => owner),
  );
  const losses = Map.groupBy(
    changes.filter((change) => isDestructive(change) && change.loss !== undefined),
    ({ owner }) => owner,
  );
  const owners = [...losses].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    blocked: owners
      .filter(([owner]) => !confirmations.has(owner))
      .map(([owner, lost]) => ({ owner, changes: lost, line: `Kraft-confirm: ${owner} ${valid[0]}` })),
    confirmed: owners.map(([owner]) => owner).filter((owner) => confirmations.has(owner)),
  };
}

/** Every confirmation in a text. What an HTML comment hides from readers does not count. */
export function confirmationsIn(text: string): { readonly owner: string; readonly date: string }[] {
  const visible = text.replace(/<!--.*?(-->|$)/gs, "");
  return [...visible.matchAll(/^[ \t]*Kraft-confirm: ([a-z][a-z0-9]*) (\d{4}-\d{2}-\d{2})[ \t]*\r?$/gm)].map(
    ([, owner = "", date = ""]) => ({ owner, date }),
  );
}
