import type { Style } from "../cli/output.ts";
import { type Change, isDestructive, sorted } from "./change.ts";
import type { Verdict } from "./confirmation.ts";
import type { Drift } from "./drift.ts";
import {
  confirmationRequest,
  diffLines,
  driftHeadline,
  driftTitles,
  headline,
  operationOf,
  ownersOf,
  titleOf,
} from "./wording.ts";

/** Changes for a terminal: in the same order as in a comment, with every field. */
export function changesText(
  changes: readonly Change[],
  { stack, verdict, notes }: { readonly stack: string; readonly verdict: Verdict; readonly notes: readonly string[] },
  style: Style,
): string[] {
  const all = sorted(changes);
  return [
    style.title(headline(all, stack)),
    ...ownersOf(all).flatMap((owner) => [
      "",
      style.title(owner),
      ...all.filter((change) => change.owner === owner).flatMap((change) => changeLines(change, style)),
    ]),
    ...verdictLines(verdict, style),
    ...(notes.length === 0 ? [] : ["", ...notes]),
  ];
}

/** What a refresh found, for a terminal. */
export function driftText(drift: Drift, stack: string, style: Style): string[] {
  const styles = { security: "bad", other: "caution", harmless: "good" } as const;
  return [
    style.title(driftHeadline(drift, stack)),
    ...driftTitles
      .filter(([part]) => drift[part].length > 0)
      .flatMap(([part, title]) => [
        "",
        style[styles[part]](title),
        ...drift[part].flatMap((change) => changeLines(change, style)),
      ]),
  ];
}

function changeLines(change: Change, style: Style): string[] {
  const colour = isDestructive(change) ? "bad" : change.operation === "create" ? "good" : "caution";
  const loss = change.loss === undefined ? "" : `: data at risk: ${change.loss}`;
  return [
    `  ${style[colour](operationOf(change))}  ${titleOf(change)}${loss}`,
    ...change.fields.flatMap((field) =>
      diffLines(field).map(
        (line) => `      ${line}${field.forcesReplacement === true ? "  (forces replacement)" : ""}`,
      ),
    ),
  ];
}

function verdictLines({ blocked, confirmed }: Verdict, style: Style): string[] {
  return [
    ...confirmed.map((owner) => `${style.caution("Confirmed")} for ${owner}.`),
    ...(blocked.length === 0
      ? []
      : ["", `${style.bad("Blocked.")} ${confirmationRequest}`, ...blocked.map(({ line }) => `  ${line}`)]),
  ];
}
