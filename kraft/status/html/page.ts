import { ago, moment, timestamp } from "../../cli/moment.ts";
import type { Remark } from "../../cli/output.ts";
import type { Status, StatusProblem } from "../report.ts";

/** What a page says, without markup. `planPage` makes one of a status, `pageHtml` makes HTML of one. */
export interface Page {
  /** Short enough for a tab: the stack, and whether anything is wrong. */
  readonly title: string;
  readonly heading: string;
  readonly made: Time;
  /** Which cluster was asked. */
  readonly source: string;
  readonly verdict: string;
  readonly problems: readonly StatusProblem[];
  readonly sections: readonly Section[];
}

/** A part of a page under a heading, with parts of its own. */
export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly sections?: readonly Section[];
}

export type Block =
  | { readonly text: string }
  /** Names and what they are. */
  | { readonly facts: readonly (readonly [name: string, value: Cell])[] }
  | { readonly remarks: readonly Remark[] }
  | { readonly problems: readonly StatusProblem[] }
  | { readonly legend: readonly BarPart["kind"][] }
  | PageTable;

export interface PageTable {
  readonly caption: string;
  readonly headings: readonly string[];
  /** The first cell is the row's heading. */
  readonly rows: readonly (readonly [Cell, ...Cell[]])[];
}

/** What a cell shows. */
export type Cell = string | Time | Noted | Bar;

/** A moment, and how it reads. */
export interface Time {
  /** RFC 3339. */
  readonly at: string;
  readonly text: string;
}

/** A cell with what is wrong with its row. */
export interface Noted {
  readonly text: string;
  readonly problems: readonly StatusProblem[];
}

/** Amounts beside each other on one line. */
export interface Bar {
  /** What it says to who cannot see it. */
  readonly alternative: string;
  /** From left to right, as shares of the line. */
  readonly parts: readonly BarPart[];
  /** Lines across, at these shares of it. */
  readonly marks: readonly number[];
}

export interface BarPart {
  readonly kind: "platform" | "K3k" | "tenants" | "used" | "left" | "limit";
  /** From 0 to 1. */
  readonly share: number;
}

/** A time of a status, with its distance from when that was made; `otherwise` where it has none. */
export function timeCell(at: string | null, now: Date, otherwise: string): Cell {
  const date = timestamp(at);
  return date === undefined || Number.isNaN(date.getTime())
    ? otherwise
    : { at: date.toISOString(), text: `${moment(date)} (${ago(date.toISOString(), now, "")})` };
}

/** What is wrong with one subject, the worst first. */
export function problemsOf({ problems }: Pick<Status, "problems">, subject: string): StatusProblem[] {
  return worstFirst(problems.filter((problem) => problem.subject === subject));
}

/** Problems that cannot wait come first; otherwise they stay in their order. */
export function worstFirst(problems: readonly StatusProblem[]): StatusProblem[] {
  return [
    ...problems.filter(({ severity }) => severity === "critical"),
    ...problems.filter(({ severity }) => severity !== "critical"),
  ];
}
