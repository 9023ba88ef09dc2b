import { messageOf } from "../../errors/failure.ts";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { parse, type RawConfig } from "./parse.ts";
import { secretKeys, tenantSchema, type Config } from "./schema.ts";
import type { Model, Tenant } from "../model.ts";
import { type Problem, ConfigError } from "../../errors/problem.ts";
import { validate } from "./validate.ts";
import { stacks, type Stack } from "../../stacks/index.ts";
import { suppliedByLocalRun } from "./local-run.ts";

/** The checkout that this program belongs to. */
export const checkout = resolve(import.meta.dirname, "../..");

/** A stack file, read as the program would get it from the engine, without engine, cluster or passphrase. */
export interface StackFile {
  readonly stack: Stack;
  /** Folder that holds it, and that paths in it are relative to. */
  readonly directory: string;
  readonly name: string;
  readonly raw: RawConfig;
  /** Encrypted values by key, as they stand in the file. */
  readonly ciphertexts: ReadonlyMap<string, string>;
  /** What the passphrase opens them with; undefined where nothing was ever encrypted. */
  readonly encryptionSalt: string | undefined;
  /** What only the passphrase would tell: keys that are encrypted and need not be. */
  readonly unreadable: readonly Problem[];
}

/** What stands for a secret. It fits every key's pattern: that the real value does is for the preview to say. */
const unreadSecret = "encrypted-in-the-stack-file-and-not-read";

/** Path of a stack's file in a folder. */
export function stackFilePath(directory: string, stack: string): string {
  return join(directory, `Pulumi.${stack}.yaml`);
}

/** Names of the stacks that have a file in a folder. */
export function stacksWithFile(directory: string): string[] {
  return [...stacks.keys()].filter((name) => existsSync(stackFilePath(directory, name)));
}

/**
 * Reads `Pulumi.<stack>.yaml` over the defaults of `Pulumi.yaml`.
 *
 * @throws ConfigError if it is no YAML.
 */
export function readStackFile(stack: Stack, directory: string): StackFile {
  const name = `Pulumi.${stack.name}.yaml`;
  const own = yamlOf(directory, name);
  const supplied = stack.distribution === "embedded" ? suppliedByLocalRun(stack, directory) : { config: {} };
  const merged: Record<string, unknown> = { ...defaults(directory), ...supplied.config, ...own.config };
  const ofRun: Readonly<Record<string, unknown>> = supplied.config;
  const { endpoint } = (ofRun["kraft:backup"] ?? {}) as { readonly endpoint?: string };
  if (endpoint !== undefined) {
    // Where the bucket is only the run knows; the rest of the key is the file's.
    merged["kraft:backup"] = { endpoint, ...(own.config?.["kraft:backup"] as object | undefined) };
  }

  const values: Record<string, unknown> = {};
  const encrypted = new Set<string>();
  const ciphertexts = new Map<string, string>();
  const unreadable: Problem[] = [];
  for (const [fullKey, value] of Object.entries(merged)) {
    const key = fullKey.startsWith("kraft:") ? fullKey.slice("kraft:".length) : undefined;
    if (key === undefined || value === "" || value === null || value === undefined) {
      continue;
    }
    if (!holdsSecret(value)) {
      values[key] = asEngineHandsOver(key, value);
    } else if (secretKeys.has(key)) {
      values[key] = unreadSecret;
      encrypted.add(key);
      ciphertexts.set(key, (value as { readonly secure?: string }).secure ?? "");
    } else {
      unreadable.push({
        key: fullKey,
        found: "an encrypted value, which only a preview can read",
        allowed: `clear text; encrypted are ${[...secretKeys].map((secret) => `kraft:${secret}`).join(", ")}`,
        fix: "write the value itself into the file, without `secure:`",
      });
    }
  }
  const encryptionSalt = own.encryptionsalt ?? supplied.encryptionsalt;
  return { stack, directory, name, raw: { values, encrypted }, ciphertexts, encryptionSalt, unreadable };
}

/**
 * The model of a stack file.
 *
 * @throws ConfigError naming every problem there is.
 */
export function modelOf(file: StackFile): Model {
  const problems = problemsOf(file);
  if (problems.length > 0) {
    throw new ConfigError(file.name, problems);
  }
  return validate(file.stack.name, stacks, file.raw);
}

/** Every problem of a stack file, before the checks that need the whole of it. */
export function problemsOf(file: StackFile): readonly Problem[] {
  try {
    validate(file.stack.name, stacks, file.raw);
    return file.unreadable;
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    const hidden = new Set(file.unreadable.map(({ key }) => key));
    // That such a key is missing is said already, and better.
    const others = error.problems.filter(({ key }) => !hidden.has(key));
    return [...file.unreadable, ...others];
  }
}

/**
 * Some keys of a stack file, whatever else is wrong with it: what concerns a cluster that runs must not wait for a tenant
 * that is half written.
 *
 * @throws ConfigError naming what is wrong with these keys.
 */
export function keysOf<Key extends keyof Config>(file: StackFile, keys: readonly Key[]): Pick<Config, Key> {
  const { config, problems } = parse(file.raw);
  const wanted = [...file.unreadable, ...problems].filter(({ key }) =>
    keys.some((name) => new RegExp(`^kraft:${name}\\b`).test(key)),
  );
  if (wanted.length > 0) {
    throw new ConfigError(file.name, wanted);
  }
  return config as Pick<Config, Key>;
}

/** The entrypoint's own address, where the key that it stands in is right; undefined where there is none. */
export function entryOf(file: StackFile): string | undefined {
  return parse(file.raw).config.network?.entry;
}

/** Every tenant's name as written, right or wrong. */
export function tenantsOf(file: StackFile): string[] {
  return parse(file.raw)
    .claims.map(({ name }) => name)
    .sort();
}

/** What becomes of every tenant as written: of an entry that is wrong elsewhere too, so far as this part of it is right. */
export function declaredTenantsOf(file: StackFile): Pick<Tenant, "name" | "state" | "from">[] {
  const entries = (file.raw.values["tenants"] ?? {}) as Readonly<Record<string, unknown>>;
  return tenantsOf(file).map((name) => {
    const entry = (entries[name] ?? {}) as Readonly<Record<string, unknown>>;
    const from = tenantSchema.shape.from.safeParse(entry["from"]).data;
    return {
      name,
      state: tenantSchema.shape.state.safeParse(entry["state"]).data ?? "active",
      ...(from === undefined ? {} : { from }),
    };
  });
}

/** The keys that a project file gives to every stack. */
function defaults(directory: string): Record<string, unknown> {
  const { config: declared = {} } = yamlOf(directory, "Pulumi.yaml");
  return Object.fromEntries(
    Object.entries(declared).map(([key, entry]) => {
      const { value, default: standard } = (entry ?? {}) as { readonly value?: unknown; readonly default?: unknown };
      return [key, value ?? standard];
    }),
  );
}

/** What is read of a file of Pulumi's. */
interface PulumiFile {
  readonly config?: Record<string, unknown>;
  readonly encryptionsalt?: string;
}

function yamlOf(directory: string, name: string): PulumiFile {
  const path = join(directory, name);
  if (!existsSync(path)) {
    return {};
  }
  try {
    const file = parseYaml(readFileSync(path, "utf8")) as PulumiFile | null;
    return file ?? {};
  } catch (error) {
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

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  return typeof (value as { secure?: unknown }).secure === "string" || Object.values(value).some(holdsSecret);
}

/** The engine knows only texts, and JSON in them: `infra/config/read.ts` takes it apart again. */
function asEngineHandsOver(key: string, value: unknown): unknown {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    return value;
  }
  const text = String(value);
  if (secretKeys.has(key) || !/^[[{]/.test(text)) {
    return text;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
