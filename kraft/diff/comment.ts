import type { Verdict } from "./breaker.ts";
import { isDestructive, sorted, type Change, type Operation } from "./changes.ts";
import { secret, type FieldChange } from "./fields.ts";
import { platformOwner } from "./owner.ts";

/** What a comment says beside the changes themselves. */
export interface Circumstances {
  readonly stack: string;
  readonly verdict: Verdict;
  /** Sentences for the end: where the changes come from, and what they do not show. */
  readonly notes?: readonly string[];
}

/** By this line a comment is found again, to be updated in place. GitHub shows nothing of it. */
export const marker = "<!-- kraft-diff -->";

/** What GitHub takes of a comment, in bytes to be on the safe side. */
export const commentLimit = 65_536;

/** What a longer value is cut to in a table. */
const valueLimit = 40;
/** How many fields of an object a table shows. */
const fieldLimit = 3;

const words: Readonly<Record<Operation, string>> = {
  create: "new",
  update: "changed",
  replace: "replaced",
  delete: "deleted",
};

/** Tenants by name, and the platform after them. */
export function ownersOf(changes: readonly Change[]): string[] {
  const owners = new Set(changes.map(({ owner }) => owner));
  const tenants = [...owners].filter((owner) => owner !== platformOwner).sort();
  return owners.has(platformOwner) ? [...tenants, platformOwner] : tenants;
}

/** Who is touched, and how, in one sentence of plain text. */
export function headline(changes: readonly Change[], stack: string): string {
  if (changes.length === 0) {
    return `Nobody is touched: nothing changes on ${stack}.`;
  }
  const owners = ownersOf(changes).map((owner) => (owner === platformOwner ? "the platform" : owner));
  const counts = (["delete", "replace", "update", "create"] as const)
    .map((operation) => [changes.filter((change) => change.operation === operation).length, words[operation]] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`);
  const nothingGoes = changes.some(isDestructive) ? "" : " Nothing is deleted or replaced.";
  return `Touches ${enumeration(owners)} on ${stack}: ${counts.join(", ")}.${nothingGoes}`;
}

/** Kind and place of an object in plain text. */
export function titleOf({ kind, namespace, name }: Pick<Change, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** What happens to an object, in words. */
export function operationOf({ operation, refused, kept }: Change): string {
  const remarks = [
    ...(refused === true ? ["Pulumi refuses: protected"] : []),
    ...(kept === true ? ["stays in the cluster, managed by nobody"] : []),
  ];
  return remarks.length === 0 ? words[operation] : `${words[operation]} (${remarks.join("; ")})`;
}

/** The changes of a pull request as GitHub's Markdown, never longer than GitHub takes. */
export function comment(changes: readonly Change[], circumstances: Circumstances): string {
  const all = sorted(changes);
  const sections = ownersOf(all).map((owner) =>
    section(
      owner,
      all.filter((change) => change.owner === owner),
    ),
  );
  const head = [
    `**${headline(all, circumstances.stack)}**`,
    ...destructive(all),
    ...confirmation(circumstances.verdict),
  ];
  const tail = [...(circumstances.notes ?? []).map((note) => `_${note}_`), marker];
  return fitted(head, sections, tail);
}

/** A comment for a stack that cannot be compared, in the program's own words. */
export function refusedComment(stack: string, refusal: string): string {
  return fitted([`**${stack} is refused: nothing of this would be applied.**`, fenced(refusal)], [], [marker]);
}

interface Section {
  readonly table: string;
  /** Everything that the table has no room for, folded; empty where it shows all. */
  readonly details: string;
}

/** What a preview says of itself, for the end of a comment. */
export function previewNotes(changes: readonly Change[]): string[] {
  const stopped =
    "Pulumi stops at the first protected object, in a preview too: what else would be deleted or replaced is not in it.";
  return ["From a preview against the cluster.", ...(changes.some(({ refused }) => refused === true) ? [stopped] : [])];
}

function destructive(changes: readonly Change[]): string[] {
  const gone = changes.filter(isDestructive);
  if (gone.length === 0) {
    return [];
  }
  const holding = gone.filter(({ loss }) => loss !== undefined);
  const others = Map.groupBy(
    gone.filter(({ loss }) => loss === undefined),
    (change) => [change.owner, change.kind, change.namespace ?? "", operationOf(change)].join("\0"),
  );
  const rows = [
    ...holding.map((change) => [change.owner, code(titleOf(change)), operationOf(change), change.loss ?? ""]),
    ...[...others.values()].flatMap(([first, ...rest]) =>
      first === undefined ? [] : [[first.owner, objects([first, ...rest]), operationOf(first), "no data"]],
    ),
  ];
  return ["### Deleted or replaced", table(["of", "object", "operation", "what hangs on it"], rows)];
}

function confirmation({ blocked, confirmed }: Verdict): string[] {
  const parts: string[] = [];
  if (confirmed.length > 0) {
    parts.push(`Confirmed for ${enumeration(confirmed)}.`);
  }
  if (blocked.length > 0) {
    const lines = blocked.map(({ line }) => line).join("\n");
    const isProtected = blocked.some(({ changes }) => changes.some(({ refused }) => refused === true));
    parts.push(
      "**Stopped.** What holds data is deleted or replaced. If that is meant, write into the description of the pull " +
        `request, with the date of the day (UTC):\n\n${fenced(lines)}`,
      ...(isProtected ? ["That lets this check pass. Pulumi goes on refusing what is protected."] : []),
    );
  }
  return parts;
}

function section(owner: string, changes: readonly Change[]): Section {
  const created = Map.groupBy(
    changes.filter(({ operation }) => operation === "create"),
    ({ kind, namespace }) => `${kind}\0${namespace ?? ""}`,
  );
  // What is deleted stands above, and has nothing more to say.
  const others = changes.filter(({ operation }) => operation !== "create" && operation !== "delete");
  const rows = [
    ...others.map((change) => [code(titleOf(change)), operationOf(change), summary(change.fields)]),
    ...[...created.values()].map((alike) => [objects(alike), words.create, ""]),
  ];
  const long = others.filter(({ fields }) => summary(fields) !== fields.map(short).join("<br>") || fields.some(isCut));
  const text = long.map((change) => [titleOf(change), ...change.fields.flatMap(lines)].join("\n")).join("\n\n");
  return {
    table:
      rows.length === 0
        ? ""
        : `### ${owner === platformOwner ? "Platform" : owner}\n\n${table(["object", "operation", "fields"], rows)}`,
    details:
      long.length === 0
        ? ""
        : `<details><summary>All fields of ${owner}</summary>\n\n${fenced(text, "diff")}\n\n</details>`,
  };
}

/** Objects of one kind and namespace in one cell. */
function objects(alike: readonly Change[]): string {
  const [first] = alike;
  if (first === undefined) {
    return "";
  }
  const where = first.namespace === undefined ? "" : `${first.namespace}/`;
  return alike.length === 1
    ? code(titleOf(first))
    : `${alike.length} × ${code(first.kind)}: ${alike.map(({ name }) => code(`${where}${name}`)).join(", ")}`;
}

function summary(fields: readonly FieldChange[]): string {
  const shown = fields.slice(0, fieldLimit).map(short);
  const more = fields.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more, below`] : [])].join("<br>");
}

function short({ path, old, new: next, forcesReplacement }: FieldChange): string {
  const why = forcesReplacement === true ? " (forces the replacement)" : "";
  if (old === secret && next === secret) {
    return `${code(path)}: another secret${why}`;
  }
  return `${code(path)}: ${old === undefined ? "" : `${code(cut(shown(old)))} `}→${next === undefined ? " gone" : ` ${code(cut(shown(next)))}`}${why}`;
}

function isCut({ old, new: next }: FieldChange): boolean {
  return [old, next].some((value) => value !== undefined && shown(value).length > valueLimit);
}

/** One property as lines of a diff. */
export function lines({ path, old, new: next }: FieldChange): string[] {
  return [
    ...(old === undefined ? [] : [`- ${path}: ${shown(old)}`]),
    ...(next === undefined ? [] : [`+ ${path}: ${shown(next)}`]),
  ];
}

/** A value on one line. */
export function shown(value: unknown): string {
  return typeof value === "string" && !/[\n\r]/.test(value) ? value : JSON.stringify(value);
}

function cut(text: string): string {
  return text.length > valueLimit ? `${text.slice(0, valueLimit - 1)}…` : text;
}

/** `acme`, `acme and blue`, `acme, blue and the platform`. */
function enumeration(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * Text as code in a table. In code GitHub looks for neither mentions, links nor HTML; what could end the code or the cell
 * is replaced, for the objects may come from a stranger.
 */
function code(text: string): string {
  return `\`${text.replaceAll("`", "'").replace(/\s+/g, " ").replaceAll("|", "\\|")}\``;
}

/** Text as a block, behind a fence that it cannot end. */
function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** All parts, without the folded ones that do not fit; if it is still too long, cut after a line. */
function fitted(head: readonly string[], sections: readonly Section[], tail: readonly string[]): string {
  const leftOut =
    "_The other fields are left out here: GitHub takes no longer comment. `npm run kraft -- diff` shows them._";
  const parts = [...head, ...sections.map(({ table: text }) => text).filter((text) => text !== "")];
  const size = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 0);
  let room = commentLimit - size([...parts, ...tail]) - sections.length * (leftOut.length + 2);
  if (room < 0) {
    return `${cutAfterLine([...parts].join("\n\n"), tail)}\n`;
  }
  const body = [
    ...head,
    ...sections.flatMap(({ table: text, details }) => {
      if (details === "") {
        return text === "" ? [] : [text];
      }
      const fits = Buffer.byteLength(details) + 2 <= room;
      room -= fits ? Buffer.byteLength(details) + 2 : 0;
      return [text, fits ? details : leftOut];
    }),
    ...tail,
  ];
  return `${body.join("\n\n")}\n`;
}

function cutAfterLine(text: string, tail: readonly string[]): string {
  const note = "_Cut here: GitHub takes no longer comment. `npm run kraft -- diff` shows the rest._";
  const end = ["", note, ...tail].join("\n\n");
  const bytes = Buffer.from(text).subarray(0, commentLimit - Buffer.byteLength(end) - 1);
  const whole = bytes.subarray(0, Math.max(0, bytes.lastIndexOf("\n"))).toString();
  // A block that the cut has left open would swallow the note.
  const open = [...whole.matchAll(/^`{3,}/gm)].at(-1);
  const isOpen = [...whole.matchAll(/^`{3,}/gm)].length % 2 === 1 && open !== undefined;
  return `${isOpen ? whole.slice(0, open.index) : whole}${end}`;
}
