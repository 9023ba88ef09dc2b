/** One property that differs. */
export interface FieldChange {
  /** As Pulumi writes it: `spec.hard["requests.cpu"]`, `spec.ports[0].port`. */
  readonly path: string;
  /** Absent where the property is new. */
  readonly old?: unknown;
  /** Absent where the property goes. */
  readonly new?: unknown;
  /** Whether this property is why the object must be replaced. */
  readonly forcesReplacement?: true;
}

/** What stands in place of a secret value, here as in Pulumi's own output. */
export const secret = "[secret]";

/** Marks a secret in what Pulumi serialises, whatever form its value has there. */
const secretSignature = "4dabf18193072939515e22adb298388d";

type Fields = Readonly<Record<string, unknown>>;

/** Keys that the engine and the API server write for themselves, in any object. */
const bookkeeping: ReadonlySet<string> = new Set(["__fieldManager", "__initialApiVersion", "__inputs", "__defaults"]);

/**
 * An object without secret values: neither those that Pulumi marks, nor the content of a Kubernetes Secret, marked or
 * not, nor the copy of an object that `kubectl apply` leaves in an annotation.
 */
export function withoutSecrets(object: Fields): Fields {
  const isSecret = object["kind"] === "Secret";
  const cleaned = clean(object) as Record<string, unknown>;
  for (const key of ["data", "stringData"]) {
    if (isSecret && key in cleaned) {
      const content = cleaned[key];
      cleaned[key] = isRecord(content)
        ? Object.fromEntries(Object.keys(content).map((name) => [name, secret]))
        : content === undefined
          ? undefined
          : secret;
    }
  }
  return cleaned;
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(clean);
  }
  if (!isRecord(value)) {
    return value;
  }
  if (secretSignature in value) {
    return secret;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !bookkeeping.has(key))
      .map(([key, entry]) => [key, key === "kubectl.kubernetes.io/last-applied-configuration" ? secret : clean(entry)]),
  );
}

/** Every property in which two values differ, in the order of their paths. */
export function fieldChanges(old: unknown, next: unknown): FieldChange[] {
  return compare("", old, next).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function compare(path: string, old: unknown, next: unknown): FieldChange[] {
  if (isRecord(old) && isRecord(next)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])];
    return keys.flatMap((key) => compare(joined(path, key), old[key], next[key]));
  }
  if (Array.isArray(old) && Array.isArray(next)) {
    return compareLists(path, old, next);
  }
  if (JSON.stringify(old) === JSON.stringify(next)) {
    return [];
  }
  return [{ path, ...(old === undefined ? {} : { old }), ...(next === undefined ? {} : { new: next }) }];
}

function compareLists(path: string, old: readonly unknown[], next: readonly unknown[]): FieldChange[] {
  if (![...old, ...next].some((entry) => typeof entry === "object")) {
    // By index, one entry more at the front would show every other as changed.
    const gone = old.filter((entry) => !next.includes(entry));
    const added = next.filter((entry) => !old.includes(entry));
    if (gone.length + added.length === 0) {
      return JSON.stringify(old) === JSON.stringify(next) ? [] : [{ path, old, new: next }];
    }
    return [{ path, ...(gone.length === 0 ? {} : { old: gone }), ...(added.length === 0 ? {} : { new: added }) }];
  }
  const names = [old, next].map(namesOf);
  if (names.every((list) => list !== undefined)) {
    const [before = [], after = []] = names;
    return [...new Set([...before, ...after])].flatMap((name) =>
      compare(`${path}[${JSON.stringify(name)}]`, old[before.indexOf(name)], next[after.indexOf(name)]),
    );
  }
  return Array.from({ length: Math.max(old.length, next.length) }, (_, index) =>
    compare(`${path}[${index}]`, old[index], next[index]),
  ).flat();
}

/** The names of a list's entries, where every entry has one of its own: containers, ports, volumes. */
function namesOf(list: readonly unknown[]): string[] | undefined {
  const names = list.map((entry) => (isRecord(entry) ? entry["name"] : undefined));
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
  return partsOf(path).reduce<unknown>((at, part) => {
    if (Array.isArray(at)) {
      const list = at as readonly unknown[];
      return list[Number(part)] ?? list.find((entry) => isRecord(entry) && entry["name"] === part);
    }
    return isRecord(at) ? at[part] : undefined;
  }, object);
}

/** A path as `fieldChanges` writes it: Pulumi leaves quotes away where it can do without them. */
export function canonical(path: string): string {
  return partsOf(path).reduce((at, part) => (/^\d+$/.test(part) ? `${at}[${part}]` : joined(at, part)), "");
}

/** The keys and indices of a path. */
export function partsOf(path: string): string[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, plain]) => quoted?.replace(/\\(.)/g, "$1") ?? index ?? plain ?? "",
  );
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
