import type { FieldChange } from "../../infra/drift/fields.ts";
import { platformOwner } from "../../infra/drift/owner.ts";
import type { Style } from "../cli/output.ts";
import { type Change, isDestructive, type Operation, operations, sorted } from "./change.ts";
import type { Circumstances, Verdict } from "./confirmation.ts";
import { type Drift, isSevere } from "./drift.ts";

/** What each operation is called in a text. */
export const operationWords: Readonly<Record<Operation, string>> = {
  create: "new",
  update: "changed",
  replace: "replaced",
  delete: "deleted",
};

/** What each part of a drift is called in a text, in the order shown. */
export const driftTitles: readonly (readonly [part: keyof Drift, title: string])[] = [
  ["security", "Tenant isolation or data"],
  ["other", "Other"],
  ["harmless", "Harmless: written by controllers"],
];

/** `acme`, `acme and blue`, `acme, blue and the platform`. */
export const enumeration = new Intl.ListFormat("en-GB");

/** What has to be done to let a change that loses data go ahead; a list of lines follows. */
export const confirmationRequest =
  "This deletes or replaces objects that hold data. If that is intended, add to the description of the pull request, " +
  "with today's date (UTC):";

/** Tenants by name, and the platform after them. */
export function ownersOf(changes: readonly Change[]): string[] {
  const owners = new Set(changes.map(({ owner }) => owner));
  const tenants = [...owners].filter((owner) => owner !== platformOwner).sort();
  return owners.has(platformOwner) ? [...tenants, platformOwner] : tenants;
}

/** Who is affected, and how, in one sentence of plain text. */
export function headline(changes: readonly Change[], stack: string): string {
  if (changes.length === 0) {
    return `No changes on ${stack}.`;
  }
  const owners = ownersOf(changes).map((owner) => (owner === platformOwner ? "the platform" : owner));
  const counts = operations.flatMap((operation) => {
    const count = changes.filter((change) => change.operation === operation).length;
    return count === 0 ? [] : [`${count} ${operationWords[operation]}`];
  });
  const nothingRemoved = changes.some(isDestructive) ? "" : " Nothing is deleted or replaced.";
  return `Affects ${enumeration.format(owners)} on ${stack}: ${counts.join(", ")}.${nothingRemoved}${byHandText(changes)}`;
}

/** How much of it was done by hand, and whether that is severe; empty where nothing was. */
function byHandText(changes: readonly Change[]): string {
  const byHand = changes.filter((change) => change.byHand !== undefined);
  const severe = byHand.filter(isSevere).length;
  return byHand.length === 0
    ? ""
    : ` Changed by hand, and put back by up: ${byHand.length}${severe === 0 ? "" : `, of which ${severe} SEVERE: tenant isolation or data`}.`;
}

/** What a refresh found, in one sentence. */
export function driftHeadline(drift: Drift, stack: string): string {
  if (driftTitles.every(([part]) => drift[part].length === 0)) {
    return `No drift on ${stack}: the cluster matches what the program declared.`;
  }
  const alarm = drift.security.length === 0 ? "None of it affects tenant isolation or data." : "Look at this today.";
  const counts = driftTitles.map(([part, title]) => `${title.toLowerCase()}: ${drift[part].length}`).join(", ");
  return `Drift on ${stack}. ${alarm} Changes by kind: ${counts}.`;
}

/** What a preview does not show. `looked` is whether it read every object from the cluster first. */
export function previewNotes(changes: readonly Change[], looked: boolean): string[] {
  const stopped =
    "Pulumi stops at the first protected object, even in a preview: further deletions and replacements are not listed.";
  return [
    looked
      ? "From a preview that read every object from the cluster: what was changed by hand is marked, and up puts it back."
      : "From a preview that did not look at the cluster: what was changed by hand is not in it.",
    ...(changes.some(({ refused }) => refused === true) ? [stopped] : []),
  ];
}

/** Kind and name of an object in plain text. */
export function titleOf({ kind, namespace, name }: Pick<Change, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** What happens to an object, in words. */
export function operationOf(change: Change): string {
  const { operation, refused, kept, byHand } = change;
  const remarks = [
    ...(byHand === undefined ? [] : [`${byHand} by hand${isSevere(change) ? ", SEVERE" : ""}`]),
    ...(refused === true ? ["Pulumi refuses: protected"] : []),
    ...(kept === true ? ["stays in the cluster, unmanaged"] : []),
  ];
  return `${operationWords[operation]}${remarks.length === 0 ? "" : ` (${remarks.join("; ")})`}`;
}

/** One property as lines of a diff. */
export function diffLines({ path, old, new: next, byHand }: FieldChange): string[] {
  const [live, declared] = byHand === true ? ["  (by hand)", "  (declared)"] : ["", ""];
  return [
    ...(old === undefined ? [] : [`- ${path}: ${valueText(old)}${live}`]),
    ...(next === undefined ? [] : [`+ ${path}: ${valueText(next)}${declared}`]),
  ];
}

/** A value on one line. */
export function valueText(value: unknown): string {
  return typeof value === "string" && !/[\n\r]/.test(value) ? value : JSON.stringify(value);
}

/** Changes for a terminal: in the same order as in a comment, with every field. */
export function changesText(
  changes: readonly Change[],
  { stack, verdict, notes = [] }: Circumstances,
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
