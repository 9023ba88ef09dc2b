import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { messageOf } from "../../errors/failure.ts";
import { ConfigError } from "../../errors/problem.ts";

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

/** Reads a file of Pulumi's; undefined where there is none. Throws a ConfigError if it is not YAML. */
export function readPulumiFile(path: string): PulumiFile | undefined {
  if (!existsSync(path)) {
    return undefined;
  }
  try {
    return (parse(readFileSync(path, "utf8")) as PulumiFile | null) ?? {};
  } catch (error) {
    const name = basename(path);
    throw new ConfigError(name, [
      {
        key: name,
        found: messageOf(error).split("\n")[0] ?? "",
        allowed: "YAML",
        fix: "correct it there; an editor with a YAML language server marks the place",
      },
    ]);
  }
}

/** The configuration that the engine runs a stack with: its own file's values, over those that Pulumi.yaml gives to all. */
export function mergedConfig(project: PulumiFile = {}, stack: PulumiFile = {}): Record<string, unknown> {
  const shared = Object.entries(project.config ?? {}).flatMap(([key, entry]) => {
    const { value, default: standard = value } = record(entry);
    return standard === undefined || standard === "" ? [] : [[key, standard] as const];
  });
  return { ...Object.fromEntries(shared), ...stack.config };
}

/** What `pulumi config set --secret` wrote for a key; undefined where the value is not encrypted as a whole. */
export function ciphertextOf(value: unknown): string | undefined {
  const { secure } = record(value);
  return typeof secure === "string" ? secure : undefined;
}

/** A map as it is, and an empty one in place of anything else. */
export function record(value: unknown): Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
}
