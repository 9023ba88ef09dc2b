import { record } from "../config/pulumi-files.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** One property that differs between two versions of an object. */
export interface FieldChange {
  /** As Pulumi writes it: `spec.hard["requests.cpu"]`, `spec.ports[0].port`. */
  readonly path: string;
  /** Undefined where the property is new. */
  readonly old?: unknown;
  /** Undefined where the property is removed. */
  readonly new?: unknown;
  /** Whether this property is why the object must be replaced. */
  readonly forcesReplacement?: true;
  /** Whether `old` is what somebody wrote by hand, and `new` what is declared. */
  readonly byHand?: true;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every property in which two values differ, sorted by path. */
export function fieldChanges(old: unknown, next: unknown): FieldChange[] {
  return compare("", old, next).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function compare(path: string, old: unknown, next: unknown): FieldChange[] {
  if (isFields(old) && isFields(next)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])];
    return keys.flatMap((key) => compare(joined(path, key), old[key], next[key]));
  }
  if (Array.isArray(old) && Array.isArray(next)) {
    return compareLists(path, old, next);
  }
  return JSON.stringify(old) === JSON.stringify(next) ? [] : [{ path, old, new: next }];
}

function compareLists(path: string, old: readonly unknown[], next: readonly unknown[]): FieldChange[] {
  if (![...old, ...next].some((entry) => typeof entry === "object")) {
    // By index, one more entry at the front would show every other entry as changed.
    const removed = old.filter((entry) => !next.includes(entry));
    const added = next.filter((entry) => !old.includes(entry));
    if (removed.length + added.length === 0) {
      return JSON.stringify(old) === JSON.stringify(next) ? [] : [{ path, old, new: next }];
    }
    return [{ path, old: removed.length > 0 ? removed : undefined, new: added.length > 0 ? added : undefined }];
  }
  const [before, after] = [namesOf(old), namesOf(next)];
  if (before !== undefined && after !== undefined) {
    return [...new Set([...before, ...after])].flatMap((name) =>
      compare(`${path}[${JSON.stringify(name)}]`, old[before.indexOf(name)], next[after.indexOf(name)]),
    );
  }
  return Array.from({ length: Math.max(old.length, next.length) }, (_, index) =>
    compare(`${path}[${index}]`, old[index], next[index]),
  ).flat();
}

/** The names of a list's entries, where every entry has a name of its own: containers, ports, volumes. */
function namesOf(list: readonly unknown[]): string[] | undefined {
  const names = list.map((entry) => record(entry)["name"]);
  return names.every((name) => typeof name === "string") && new Set(names).size === names.length ? names : undefined;
}

function joined(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) {
    return `${path}[${JSON.stringify(key)}]`;
  }
  return path === "" ? key : `${path}.${key}`;
}

/** The property at a path, or undefined. */
export function valueAt(object: unknown, path: string): unknown {
  return keysOf(path).reduce<unknown>((at, key) => {
    if (Array.isArray(at)) {
      const list = at as readonly unknown[];
      return list[Number(key)] ?? list.find((entry) => record(entry)["name"] === key);
    }
    return record(at)[key];
  }, object);
}

/** A path as `fieldChanges` writes it: Pulumi leaves out quotes that it does not need. */
export function canonicalPath(path: string): string {
  return keysOf(path).reduce((at, key) => (/^\d+$/.test(key) ? `${at}[${key}]` : joined(at, key)), "");
}

/** The keys and indices of a path. */
function keysOf(path: string): string[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, plain]) => quoted?.replace(/\\(.)/g, "$1") ?? index ?? plain ?? "",
  );
}
