/** A field that somebody wrote by hand and that only the program sees. The program can only report it in a message. */
export interface HandChange {
  readonly owner: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly path: string;
  readonly live: unknown;
  /** Undefined where nobody declared it. */
  readonly declared: unknown;
  /** Who wrote it, and when: `kubectl-edit, 2026-11-28T19:00:00Z`. */
  readonly writer: string;
}

const pattern =
  /changed by hand: (?<owner>\S+): (?<kind>\S+) (?:(?<namespace>[^\s/]+)\/)?(?<name>\S+) \((?<apiVersion>[^)]+)\): (?<path>.+?) is (?<live>.+), (?:declared is (?<declared>.+)|which nobody declared) \((?<writer>[^()]+)\)/;

/** The change as a message. */
export function handChangeText(change: HandChange): string {
  const { owner, kind, namespace, name, apiVersion, path, live, declared, writer } = change;
  const title = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name} (${apiVersion})`;
  const instead = declared === undefined ? "which nobody declared" : `declared is ${JSON.stringify(declared)}`;
  return `changed by hand: ${owner}: ${title}: ${path} is ${JSON.stringify(live)}, ${instead} (${writer})`;
}

/** The change that a message tells of; undefined for any other message. */
export function handChangeIn(text: string): HandChange | undefined {
  const groups = pattern.exec(text)?.groups;
  if (groups === undefined) {
    return undefined;
  }
  const { owner = "", kind = "", namespace, name = "", apiVersion = "", path = "", writer = "" } = groups;
  try {
    const [live, declared] = [groups["live"], groups["declared"]].map((value) =>
      value === undefined ? undefined : (JSON.parse(value) as unknown),
    );
    return { owner, kind, namespace, name, apiVersion, path, live, declared, writer };
  } catch {
    return undefined;
  }
}
