/** One thing that is wrong with what the operator wrote, in the four parts every message of Kraft has. */
export interface Problem {
  /** The key to look for, as `pulumi config set --path` would take it. */
  readonly key: string;
  readonly found: string;
  readonly allowed: string;
  readonly fix: string;
}

/** Something the operator should know but may go ahead with. */
export interface Warning {
  readonly key: string;
  readonly message: string;
}

/** A list with the entry where the condition holds, and an empty one otherwise. */
export function listIf<Entry>(condition: boolean, entry: Entry): Entry[] {
  return condition ? [entry] : [];
}

/**
 * How a value of a stack file reads in a message: JSON, cut to a length that still fits a line, without the user and password
 * of a URL.
 */
export function show(value: unknown): string {
  if (value === undefined) {
    return "nothing";
  }
  const text = JSON.stringify(value).replaceAll(/:\/\/[^/@:\s"]*:[^/@\s"]*@/g, "://…@");
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

/** A stack file, or what the operator chose on the command line, cannot be used. The message is meant for them. */
export class ConfigError extends Error {
  /** What the problems are in, for example `Pulumi.homelab.yaml`. */
  readonly where: string;
  /** In the order of the message. */
  readonly problems: readonly Problem[];

  constructor(where: string, problems: readonly Problem[]) {
    super(report(where, problems));
    this.where = where;
    this.problems = inOrder(problems);
  }
}

/** @throws ConfigError if there is any problem, naming all of them. */
export function refuse(name: string, problems: readonly Problem[]): void {
  if (problems.length > 0) {
    throw new ConfigError(`Pulumi.${name}.yaml`, problems);
  }
}

/** All problems of one stack as one message, sorted by key so that the same file always gives the same text. */
export function report(where: string, problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const entries = inOrder(problems).map(({ key, found, allowed, fix }) =>
    [`  ${key}`, `    found:   ${found}`, `    allowed: ${allowed}`, `    fix:     ${fix}`].join("\n"),
  );
  return [`${where} has ${count}. Nothing was changed.`, ...entries].join("\n\n");
}

/** Problems sorted by key, as every message has them. */
function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => compare(a.key, b.key) || compare(a.found, b.found));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
