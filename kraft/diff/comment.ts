import type { FieldChange } from "../../infra/drift/fields.ts";
import { platformOwner } from "../../infra/drift/owner.ts";
import { type Change, isDestructive, sorted } from "./change.ts";
import type { Circumstances, Verdict } from "./confirmation.ts";
import type { Drift } from "./drift.ts";
import { secret } from "./redact.ts";
import {
  confirmationRequest,
  diffLines,
  driftHeadline,
  driftTitles,
  enumeration,
  headline,
  operationOf,
  ownersOf,
  titleOf,
  valueText,
} from "./text.ts";

/** The line by which a comment is found again, to be updated in place. GitHub does not show it. */
export const marker = "<!-- kraft-diff -->";

/** The longest comment that GitHub accepts; counted in bytes to be on the safe side. */
export const commentLimit = 65_536;

/** How many characters of a value, and how many fields of an object, a table shows. */
const valueLimit = 40;
const fieldLimit = 3;

/** The changes of a pull request as GitHub's Markdown, never longer than GitHub accepts. */
export function comment(changes: readonly Change[], { stack, verdict, notes = [] }: Circumstances): string {
  const all = sorted(changes);
  return fitted(
    [`**${headline(all, stack)}**`, ...destructiveTable(all), ...verdictText(verdict)],
    ownersOf(all).flatMap((owner) =>
      section(
        owner,
        all.filter((change) => change.owner === owner),
      ),
    ),
    [...notes.map((note) => `_${note}_`), marker],
  );
}

/** A comment for a stack that cannot be compared, in the program's own words. */
export function refusedComment(stack: string, refusal: string): string {
  return fitted([`**${stack} is refused: none of this would be applied.**`, fenced(refusal)], [], [marker]);
}

/** What a refresh found, as Markdown for the summary of a workflow's run. */
export function driftComment(drift: Drift, stack: string): string {
  const verdict = { blocked: [], confirmed: [] };
  const parts = driftTitles
    .filter(([part]) => drift[part].length > 0)
    .flatMap(([part, title]) => [`## ${title}`, comment(drift[part], { stack, verdict })]);
  return `${[`**${driftHeadline(drift, stack)}**`, ...parts].join("\n\n")}\n`;
}

function destructiveTable(changes: readonly Change[]): string[] {
  const destructive = changes.filter(isDestructive);
  if (destructive.length === 0) {
    return [];
  }
  const withData = destructive.filter(({ loss }) => loss !== undefined);
  const others = Map.groupBy(
    destructive.filter(({ loss }) => loss === undefined),
    (change) => [change.owner, change.kind, change.namespace, operationOf(change)].join("\0"),
  );
  const rows = [...withData.map((change) => [change]), ...others.values()].flatMap(([first, ...rest]) =>
    first === undefined ? [] : [[first.owner, objectsText(first, rest), operationOf(first), first.loss ?? "no data"]],
  );
  return ["### Deleted or replaced", markdownTable(["owner", "object", "operation", "data at risk"], rows)];
}

function verdictText({ blocked, confirmed }: Verdict): string[] {
  const isProtected = blocked.some(({ changes }) => changes.some(({ refused }) => refused === true));
  return [
    ...(confirmed.length > 0 ? [`Confirmed for ${enumeration.format(confirmed)}.`] : []),
    ...(blocked.length > 0
      ? [`**Blocked.** ${confirmationRequest}`, fenced(blocked.map(({ line }) => line).join("\n"))]
      : []),
    ...(isProtected ? ["That lets this check pass. Pulumi still refuses to delete or replace what is protected."] : []),
  ];
}

interface Section {
  readonly table: string;
  /** Every field that the table has no room for, folded; empty where it shows all. */
  readonly details: string;
}

/** What happens to the objects of one owner. What is deleted is listed above, with nothing to add. */
function section(owner: string, changes: readonly Change[]): Section[] {
  const changed = changes.filter(({ operation }) => operation === "update" || operation === "replace");
  const created = Map.groupBy(
    changes.filter(({ operation }) => operation === "create"),
    ({ kind, namespace, byHand }) => `${kind}\0${namespace ?? ""}\0${byHand ?? ""}`,
  );
  const rows = [
    ...changed.map((change) => [code(titleOf(change)), operationOf(change), summary(change.fields)]),
    ...[...created.values()].flatMap(([first, ...rest]) =>
      first === undefined ? [] : [[objectsText(first, rest), operationOf(first), ""]],
    ),
  ];
  if (rows.length === 0) {
    return [];
  }
  const shortened = changed.filter(({ fields }) => fields.length > fieldLimit || fields.some(isCut));
  const text = shortened
    .map((change) => [titleOf(change), ...change.fields.flatMap(diffLines)].join("\n"))
    .join("\n\n");
  return [
    {
      table: `### ${owner === platformOwner ? "Platform" : owner}\n\n${markdownTable(["object", "operation", "fields"], rows)}`,
      details:
        text === ""
          ? ""
          : `<details><summary>All fields of ${owner}</summary>\n\n${fenced(text, "diff")}\n\n</details>`,
    },
  ];
}

/** Objects of one kind and namespace in one cell. */
function objectsText(first: Change, rest: readonly Change[]): string {
  const where = first.namespace === undefined ? "" : `${first.namespace}/`;
  const all = [first, ...rest];
  return rest.length === 0
    ? code(titleOf(first))
    : `${all.length} × ${code(first.kind)}: ${all.map(({ name }) => code(`${where}${name}`)).join(", ")}`;
}

function summary(fields: readonly FieldChange[]): string {
  const more = fields.length - fieldLimit;
  return [...fields.slice(0, fieldLimit).map(fieldText), ...(more > 0 ? [`and ${more} more, below`] : [])].join("<br>");
}

function fieldText({ path, old, new: next, forcesReplacement, byHand }: FieldChange): string {
  const why = `${byHand === true ? " (by hand → declared)" : ""}${forcesReplacement === true ? " (forces replacement)" : ""}`;
  if (old === secret && next === secret) {
    return `${code(path)}: secret changed${why}`;
  }
  const before = old === undefined ? "" : `${code(cut(valueText(old)))} `;
  const after = next === undefined ? "removed" : code(cut(valueText(next)));
  return `${code(path)}: ${before}→ ${after}${why}`;
}

function isCut({ old, new: next }: FieldChange): boolean {
  return [old, next].some((value) => value !== undefined && valueText(value).length > valueLimit);
}

function cut(text: string): string {
  return text.length > valueLimit ? `${text.slice(0, valueLimit - 1)}…` : text;
}

/** All parts, without the folded ones that do not fit; if that is still too long, cut after a line. */
function fitted(head: readonly string[], sections: readonly Section[], tail: readonly string[]): string {
  const leftOut = "_The other fields do not fit: GitHub accepts no longer comment. `npx kraft diff` shows them._";
  const size = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 0);
  const tables = sections.map((part) => part.table);
  let room = commentLimit - size([...head, ...tables, ...sections.map(() => leftOut), ...tail]);
  if (room < 0) {
    const note = "_Cut here: GitHub accepts no longer comment. `npx kraft diff` shows the rest._";
    const end = ["", note, ...tail].join("\n\n");
    return `${cutAfterLine([...head, ...tables].join("\n\n"), commentLimit - Buffer.byteLength(end) - 1)}${end}\n`;
  }
  const body = sections.flatMap(({ table: text, details }) => {
    const fits = size([details]) <= room;
    room -= fits ? size([details]) : 0;
    return details === "" ? [text] : [text, fits ? details : leftOut];
  });
  return `${[...head, ...body, ...tail].join("\n\n")}\n`;
}

/** A table as GitHub's Markdown. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * Text as code in a table. In code GitHub looks for neither mentions, links nor HTML; what could end the code or the cell
 * is replaced, for the objects may come from a stranger.
 */
export function code(text: string): string {
  return `\`${text.replaceAll("`", "'").replace(/\s+/g, " ").replaceAll("|", "\\|")}\``;
}

/** Text as a block, behind a fence that it cannot end. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** The beginning of a text in so many bytes, up to the end of a line and without a block that the cut leaves open. */
export function cutAfterLine(text: string, limit: number): string {
  const bytes = Buffer.from(text).subarray(0, limit);
  const whole = bytes.subarray(0, Math.max(0, bytes.lastIndexOf("\n"))).toString();
  const fences = [...whole.matchAll(/^`{3,}/gm)];
  return fences.length % 2 === 1 ? whole.slice(0, fences.at(-1)?.index) : whole;
}
