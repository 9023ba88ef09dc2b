import type { Verdict } from "./breaker.ts";
import { isDestructive, sorted, type Change } from "./changes.ts";
import { headline, lines, operationOf, ownersOf, titleOf } from "./comment.ts";
import type { Drift } from "./drift.ts";

/** How a text is set off; each may leave it as it is. */
export interface Emphasis {
  title(text: string): string;
  good(text: string): string;
  caution(text: string): string;
  bad(text: string): string;
}

/** The changes for a terminal: the same order as in a comment, with every field. */
export function text(
  changes: readonly Change[],
  { stack, verdict, notes }: { readonly stack: string; readonly verdict: Verdict; readonly notes: readonly string[] },
  style: Emphasis,
): string[] {
  const all = sorted(changes);
  const sections = ownersOf(all).flatMap((owner) => [
    "",
    style.title(owner),
    ...all.filter((change) => change.owner === owner).flatMap((change) => block(change, style)),
  ]);
  return [
    style.title(headline(all, stack)),
    ...sections,
    ...stopped(verdict, style),
    ...(notes.length === 0 ? [] : ["", ...notes]),
  ];
}

/** What a refresh found, for a terminal. */
export function driftText({ security, other, harmless }: Drift, stack: string, style: Emphasis): string[] {
  const part = (title: string, changes: readonly Change[]): string[] =>
    changes.length === 0 ? [] : ["", title, ...changes.flatMap((change) => block(change, style))];
  return [
    style.title(driftHeadline({ security, other, harmless }, stack)),
    ...part(style.bad("What keeps tenants apart, or their data"), security),
    ...part(style.caution("Other"), other),
    ...part("Harmless: written by controllers", harmless),
  ];
}

/** What a refresh found, in one sentence. */
export function driftHeadline({ security, other, harmless }: Drift, stack: string): string {
  if (security.length + other.length + harmless.length === 0) {
    return `No drift on ${stack}: the cluster holds what the program declared.`;
  }
  const alarm = security.length === 0 ? "None of it keeps tenants apart." : "Somebody has to look at this today.";
  return `Drift on ${stack}: ${security.length} of what keeps tenants apart or their data, ${other.length} other, ${harmless.length} harmless. ${alarm}`;
}

function block(change: Change, style: Emphasis): string[] {
  const colour = isDestructive(change) ? "bad" : change.operation === "create" ? "good" : "caution";
  return [
    `  ${style[colour](operationOf(change))}  ${titleOf(change)}${change.loss === undefined ? "" : `: on it hangs ${change.loss}`}`,
    ...change.fields.flatMap((field) =>
      lines(field).map(
        (line) => `      ${line}${field.forcesReplacement === true ? "  (forces the replacement)" : ""}`,
      ),
    ),
  ];
}

function stopped({ blocked, confirmed }: Verdict, style: Emphasis): string[] {
  return [
    ...confirmed.map((owner) => `${style.caution("Confirmed")} for ${owner}.`),
    ...(blocked.length === 0
      ? []
      : [
          "",
          `${style.bad("Stopped.")} What holds data is deleted or replaced. If that is meant, the pull request has to say, with the date of the day (UTC):`,
          ...blocked.map(({ line }) => `  ${line}`),
        ]),
  ];
}
