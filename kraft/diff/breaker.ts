import { isDestructive, type Change } from "./changes.ts";

/** What one owner would lose. */
export interface Blocked {
  readonly owner: string;
  readonly changes: readonly Change[];
  /** The line that would confirm it, with today's date. */
  readonly line: string;
}

/** Whether a change may go ahead. */
export interface Verdict {
  /** Owners whose data is touched and who are not confirmed. */
  readonly blocked: readonly Blocked[];
  /** Owners whose data is touched and who are confirmed. */
  readonly confirmed: readonly string[];
}

/**
 * Stops whatever deletes or replaces an object that holds data, until it is confirmed for each owner by a line of its own:
 * `Kraft-confirm: <tenant or platform> <YYYY-MM-DD>`. The date is today's or yesterday's in UTC, so that an approval of
 * last week does not wave through what came since.
 *
 * @param text What the pull request says of itself, written by people.
 */
export function breaker(changes: readonly Change[], text: string, now: Date): Verdict {
  const valid = new Set([day(now, 0), day(now, -1)]);
  const confirmations = new Set(
    confirmationsIn(text)
      .filter(({ date }) => valid.has(date))
      .map(({ owner }) => owner),
  );
  const touched = Map.groupBy(
    changes.filter((change) => isDestructive(change) && change.loss !== undefined),
    ({ owner }) => owner,
  );
  const owners = [...touched.keys()].sort();
  return {
    blocked: owners
      .filter((owner) => !confirmations.has(owner))
      .map((owner) => ({
        owner,
        changes: touched.get(owner) ?? [],
        line: `Kraft-confirm: ${owner} ${day(now, 0)}`,
      })),
    confirmed: owners.filter((owner) => confirmations.has(owner)),
  };
}

/** Every confirmation in a text. What stands in an HTML comment is seen by nobody, and counts for nothing. */
export function confirmationsIn(text: string): { readonly owner: string; readonly date: string }[] {
  const visible = text.replace(/<!--.*?(-->|$)/gs, "");
  return [...visible.matchAll(/^[ \t]*Kraft-confirm: ([a-z][a-z0-9]*) (\d{4}-\d{2}-\d{2})[ \t]*\r?$/gm)].map(
    ([, owner = "", date = ""]) => ({ owner, date }),
  );
}

function day(now: Date, offset: number): string {
  return new Date(now.getTime() + offset * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
}
