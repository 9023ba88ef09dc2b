import type { Condition, Metadata } from "./objects.ts";

/** Something to say of a part of the cluster. */
export interface Remark {
  readonly subject: string;
  readonly message: string;
}

/** A part of the cluster, and what is wrong with it. */
export interface Found<Part> {
  readonly part: Part;
  readonly problems: readonly Remark[];
}

/** The condition of one type; undefined where there is none. */
export function condition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((candidate) => candidate.type === type);
}

/** What is the matter, with the reason where one was given. */
export function sentence(text: string, why: string | undefined): string {
  return why === undefined || why === "" ? text : `${text}: ${why}`;
}

/** Parts by name. */
export function sorted<Entry extends Found<{ readonly name: string }>>(found: readonly Entry[]): Entry[] {
  return [...found].sort((a, b) => compare(a.part.name, b.part.name));
}

/** In the order of their characters, whatever the language of the machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where an object is. */
export function placed({ name, namespace = "" }: Metadata): { readonly namespace: string; readonly name: string } {
  return { namespace, name };
}
