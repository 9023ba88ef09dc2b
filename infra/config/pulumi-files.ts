import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { closest } from "../../errors/closest.ts";
import { ConfigError, listIf, type Problem, show } from "../../errors/problem.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import { configSchema } from "./schema.ts";

export type Values = Readonly<Record<string, unknown>>;

/** A Pulumi.yaml or a Pulumi.<stack>.yaml, as far as Kraft reads it. */
export interface PulumiFile {
  readonly config?: Values;
  /** What the passphrase opens the encrypted values with; undefined where nothing was ever encrypted. */
  readonly encryptionsalt?: string;
}

export function stackFilePath(directory: string, stack: string): string {
  return join(directory, `Pulumi.${stack}.yaml`);
}

/**
 * Reads a file of Pulumi's; undefined where there is none. Throws a ConfigError if it is not YAML that Pulumi reads
 * likewise (plain-yaml.ts).
 */
export function readPulumiFile(path: string): PulumiFile | undefined {
  return read(path, () => []);
}

/**
 * Reads a `Pulumi.<stack>.yaml`; undefined where there is none. Every verb and the program read it here. Throws a
 * ConfigError, as `readPulumiFile` does, and also where Pulumi would ignore a key or give it another name: what is
 * missing or misplaced so would be taken for something that the operator left out.
 */
export function readStackYaml(path: string): PulumiFile | undefined {
  return read(path, formProblems);
}

function read(path: string, furtherProblems: (value: unknown, file: string) => Problem[]): PulumiFile | undefined {
  if (!existsSync(path)) {
    return undefined;
  }
  const file = basename(path);
  const { value, problems } = readPlainYaml(readFileSync(path), file);
  const all = problems.length > 0 ? problems : furtherProblems(value, file);
  if (all.length > 0) {
    throw new ConfigError(file, all);
  }
  return record(value);
}

const kraftKeys = Object.keys(configSchema.shape);

/** What Pulumi reads of a stack file beside `config`, and Kraft or Pulumi itself uses. */
const otherKeys = ["encryptionsalt", "encryptedkey", "secretsprovider"] as const;

/** What is wrong with a stack file before any value is looked at: where its keys are, and their names. */
function formProblems(value: unknown, file: string): Problem[] {
  const { config, ...others } = record(value);
  const notMap = value !== null && !isRecord(value) ? { key: file, value } : { key: "config", value: config };
  if (notMap.value !== undefined && notMap.value !== null && !isRecord(notMap.value)) {
    const fix = "begin the file with `config:`, and write the keys under it, two spaces further in";
    return [{ key: notMap.key, found: show(notMap.value), allowed: "a map of keys", fix }];
  }
  const outside = Object.keys(others).filter((name) => !otherKeys.some((known) => known === name));
  if (!isRecord(config) && outside.length === 0) {
    const found =
      config === null ? "`config:` with nothing under it" : value === null ? "an empty file" : "no `config:`";
    const fix = `write them, or print what was committed last: git show HEAD:${file}`;
    return [{ key: file, found, allowed: "`config:` with the keys of Kraft under it", fix }];
  }
  return [
    ...outside.map((name) => outsideProblem(name)),
    ...Object.keys(record(config)).flatMap((name) => nameProblems(name)),
  ];
}

/** A key outside `config:`, which Pulumi ignores. */
function outsideProblem(name: string): Problem {
  const key = kraftKeys.find((known) => name === known || name === `kraft:${known}`);
  if (key !== undefined) {
    const allowed = "under `config:`; Pulumi ignores it elsewhere";
    const fix = `move it under \`config:\`, two spaces further in${name === key ? `, as kraft:${key}` : ""}`;
    return { key: name, found: "a key outside `config:`", allowed, fix };
  }
  const known = ["config", ...otherKeys];
  const meant = closest(name, known) ?? closest(name.replace(/^kraft:/, ""), kraftKeys);
  return {
    key: name,
    found: "a key outside `config:` that Pulumi ignores",
    allowed: known.join(", "),
    fix:
      meant === undefined
        ? "remove it, or move it under `config:`"
        : known.includes(meant)
          ? `write ${meant}`
          : `move it under \`config:\`, as kraft:${meant}`,
  };
}

/** A key under `config:` whose namespace is missing or misspelt. Pulumi takes the first for one of Kraft's, Kraft did not. */
function nameProblems(name: string): Problem[] {
  const [, namespace, key = ""] = /^(?:([^:]*):)?(.*)$/.exec(name) ?? [];
  const problem = (found: string, allowed: string, fix: string): Problem[] => [{ key: name, found, allowed, fix }];
  if (otherKeys.some((other) => other === key) && (namespace === undefined || namespace === "kraft")) {
    const allowed = "at the start of a line, beside `config:`";
    return problem("a key of Pulumi under `config:`", allowed, "move it out of `config:`, without spaces before it");
  }
  if (name === "kraft") {
    return problem("a space after `kraft:`", "kraft: and a key, without a space between them", "remove the space");
  }
  if (namespace === undefined) {
    const meant = kraftKeys.includes(key) ? key : closest(key, kraftKeys);
    const allowed = "keys with their prefix, `kraft:`";
    const fix = meant === undefined ? "remove it, or write it with its prefix" : `write kraft:${meant}`;
    return problem("a key without its prefix", allowed, fix);
  }
  if (namespace !== "kraft") {
    return kraftKeys.includes(key) && closest(namespace, ["kraft"]) !== undefined
      ? problem("an unknown prefix", "kraft:", `write kraft:${key}`)
      : listIf(key.includes(":"), {
          key: name,
          found: "a key with two colons",
          allowed: "a prefix, a colon and a name",
          fix: "correct it, or remove it",
        });
  }
  // Pulumi reads this old form as well.
  const inner = key.replace(/^config:/, "");
  return key.includes(":")
    ? problem("a key with two colons", "kraft: and a key of Kraft", `write kraft:${closest(inner, kraftKeys) ?? inner}`)
    : [];
}

/** Values that the passphrase encrypted begin so (pulumi/pulumi: sdk/go/common/resource/config/crypt.go). */
const passphraseMark = "v1:";

/**
 * Values that the passphrase encrypted, without the line that it opens them by. No reason not to read the file: with keys
 * of the environment a restore needs none of them.
 */
export function saltProblems({ config = {}, encryptionsalt }: PulumiFile): Problem[] {
  const salted = typeof encryptionsalt === "string" && encryptionsalt !== "";
  const encrypted = Object.entries(config).filter(
    ([, value]) => ciphertextOf(value)?.startsWith(passphraseMark) === true,
  );
  return listIf(!salted && encrypted.length > 0, {
    key: "encryptionsalt",
    found: encryptionsalt === undefined ? "nothing" : show(encryptionsalt),
    allowed: `the line that the passphrase opens ${encrypted.map(([name]) => name).join(", ")} by`,
    fix: "bring it back from the repository's history or from the recovery kit: no passphrase replaces it",
  });
}

/** The configuration that the engine runs a stack with: its own file's values, over those that Pulumi.yaml gives to all. */
export function mergedConfig(project: PulumiFile = {}, stack: PulumiFile = {}): Record<string, unknown> {
  const shared = Object.entries(project.config ?? {}).flatMap(([key, entry]) => {
    const { value, default: standard = value } = record(entry);
    return standard === undefined || standard === "" ? [] : [[key, standard] as const];
  });
  return { ...Object.fromEntries(shared), ...stack.config };
}

/**
 * What `pulumi config set --secret` wrote for a key; undefined where the value is not encrypted as a whole. Beside another
 * key Pulumi takes `secure` for a name like any other.
 */
export function ciphertextOf(value: unknown): string | undefined {
  const { secure, ...others } = record(value);
  return typeof secure === "string" && Object.keys(others).length === 0 ? secure : undefined;
}

/** A map as it is, and an empty one in place of anything else. */
export function record(value: unknown): Values {
  return isRecord(value) ? value : {};
}

/** Whether a value is a map. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
