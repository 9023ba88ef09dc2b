import type { Change } from "./changes.ts";
import { comment } from "./comment.ts";
import type { Drift } from "./drift.ts";
import { driftHeadline } from "./text.ts";

const nobody = { blocked: [], confirmed: [] };

/** What a refresh found, as Markdown for the summary of a workflow's run. */
export function driftComment(drift: Drift, stack: string): string {
  const part = (title: string, changes: readonly Change[]): string[] =>
    changes.length === 0 ? [] : [`## ${title}`, comment(changes, { stack, verdict: nobody })];
  return `${[
    `**${driftHeadline(drift, stack)}**`,
    ...part("What keeps tenants apart, or their data", drift.security),
    ...part("Other", drift.other),
    ...part("Harmless: written by controllers", drift.harmless),
  ].join("\n\n")}\n`;
}
