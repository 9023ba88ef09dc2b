import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ConfigError, type Problem, refuse } from "../../errors/problem.ts";
import { type Stack, stacks } from "../../stacks/index.ts";
import type { Model, Tenant } from "../model.ts";
import { needsBootstrap } from "../nodes/needs-bootstrap.ts";
import { describedStack } from "./described-stack.ts";
import { parse, type RawConfig, rawConfig } from "./parse.ts";
import {
  ciphertextOf,
  mergedConfig,
  type PulumiFile,
  readPulumiFile,
  readStackYaml,
  record,
  saltProblems,
  stackFilePath,
  type Values,
} from "./pulumi-files.ts";
import { type Config, secretKeys, tenantSchema } from "./schema.ts";
import { validate } from "./validate.ts";

export { stackFilePath } from "./pulumi-files.ts";

/** The checkout that this program belongs to. */
export const checkout = resolve(import.meta.dirname, "../..");

/** A stack file, read as the program would get it from the engine, without engine, cluster or passphrase. */
export interface StackFile {
  /** With the hardware that the file declares. */
  readonly stack: Stack;
  /** Folder that holds it, and that paths in it are relative to. */
  readonly directory: string;
  readonly name: string;
  readonly raw: RawConfig;
  /** Encrypted values by key, as the file holds them. */
  readonly ciphertexts: ReadonlyMap<string, string>;
  /** What the passphrase opens them with; undefined where nothing was ever encrypted. */
  readonly encryptionSalt: string | undefined;
  /** Keys that are encrypted and must not be, or without what opens them: what they hold is unknown here. */
  readonly unreadable: readonly Problem[];
}

/** Stands for an encrypted value. It fits every key's pattern: only a preview can say whether the real value does. */
const unreadSecret = "encrypted-in-the-stack-file-and-not-read";

/** Names of the stacks that have a file in a folder. */
export function stacksWithFile(directory: string): string[] {
  return [...stacks.keys()].filter((name) => existsSync(stackFilePath(directory, name)));
}

/**
 * Reads `Pulumi.<stack>.yaml`, and Pulumi.yaml beside it. Throws a ConfigError if one of them is not YAML, or Pulumi reads it
 * otherwise (`readStackYaml`).
 */
export function readStackFile(stack: Stack, directory: string): StackFile {
  const written = readStackYaml(stackFilePath(directory, stack.name)) ?? {};
  const file = stack.distribution === "embedded" ? completedByLocalRun(written, stack, directory) : written;
  const readable: Record<string, unknown> = {};
  const ciphertexts = new Map<string, string>();
  const unreadable = saltProblems(file);
  for (const [name, value] of Object.entries(mergedConfig(readPulumiFile(join(directory, "Pulumi.yaml")), file))) {
    const key = name.replace(/^kraft:/, "");
    if (!holdsSecret(value)) {
      readable[name] = value;
    } else if (secretKeys.has(key)) {
      readable[name] = unreadSecret;
      ciphertexts.set(key, ciphertextOf(value) ?? "");
    } else if (key !== name) {
      unreadable.push({
        key: name,
        found: "an encrypted value, which only a preview can read",
        allowed: `clear text; encrypted are ${[...secretKeys].map((secret) => `kraft:${secret}`).join(", ")}`,
        fix: "write the value itself into the file, without `secure:`",
      });
    }
  }
  const raw = rawConfig(readable, (name) => readable[name] === unreadSecret);
  return {
    stack: describedStack(stack, raw),
    directory,
    name: `Pulumi.${stack.name}.yaml`,
    raw,
    ciphertexts,
    encryptionSalt: file.encryptionsalt,
    unreadable,
  };
}

/**
 * Keys that the engine has another value for than the stack file in a folder: it was given another file, or reads this one
 * otherwise. None where there is no such file, or `npm run local` completes it. Throws as `readStackFile` does.
 */
export function keysReadOtherwise(stack: Stack, directory: string, given: RawConfig): string[] {
  if (!existsSync(stackFilePath(directory, stack.name))) {
    return [];
  }
  const { raw } = readStackFile(stack, directory);
  return stack.distribution === "embedded"
    ? []
    : [...new Set([...Object.keys(raw.values), ...Object.keys(given.values)])]
        .filter((key) => !isDeepStrictEqual(seen(raw, key), seen(given, key)))
        .map((key) => `kraft:${key}`)
        .sort();
}

/** A key's value, as far as it can be compared. */
function seen({ values, encrypted }: RawConfig, key: string): unknown {
  return encrypted.has(key) ? { encrypted: true } : values[key];
}

/** Whether a value, or anything in it, is encrypted. */
function holdsSecret(value: unknown): boolean {
  return (
    ciphertextOf(value) !== undefined ||
    (typeof value === "object" && value !== null && Object.values(value).some(holdsSecret))
  );
}

/**
 * A stack file as it will be once the machines that Kraft sets up are a cluster, of which only the UID is unknown; any other as
 * it is.
 */
export function withClusterToCome(file: StackFile): StackFile {
  const { values, encrypted } = file.raw;
  if (!needsBootstrap(file.stack, file.raw)) {
    return file;
  }
  const cluster = { ...record(values["cluster"]), uid: "11111111-1111-1111-1111-111111111111" };
  const machines = { ...record(values["machines"]), clusterInit: false };
  return { ...file, raw: { values: { ...values, cluster, machines }, encrypted } };
}

/** Problems of a stack file. Before its machines are a cluster, nobody can be asked for the UID of one. */
function problemsOf({ stack, raw }: StackFile, problems: readonly Problem[]): Problem[] {
  const next =
    stack.distribution === "k3s"
      ? `run pulumi up -s ${stack.name}, which sets the machines up; then npx kraft host-kubeconfig -s ${stack.name} says it`
      : `run pulumi up -s ${stack.name}, which sets the machine up; its output says how to find it`;
  return problems.map((problem) =>
    problem.key === "kraft:cluster.uid" && needsBootstrap(stack, raw) ? { ...problem, fix: next } : problem,
  );
}

/** The model of a stack file. Throws a ConfigError naming every problem there is. */
export function modelOf(file: StackFile): Model {
  try {
    const model = validate(file.stack.name, stacks, file.raw);
    refuse(file.stack.name, file.unreadable);
    return model;
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    // An unreadable key would be reported as missing too.
    const others = error.problems.filter(({ key }) => !file.unreadable.some((hidden) => hidden.key === key));
    throw new ConfigError(file.name, problemsOf(file, [...file.unreadable, ...others]));
  }
}

/**
 * Some keys of a stack file, whatever else is wrong with it: what concerns a running cluster must not wait for a tenant
 * that is half written. Throws a ConfigError naming what is wrong with these keys.
 */
export function keysOf<Key extends keyof Config>(file: StackFile, keys: readonly Key[]): Pick<Config, Key> {
  const { config, problems } = parse(file.raw);
  const wanted = [...file.unreadable, ...problems].filter(({ key }) =>
    keys.some((name) => new RegExp(`^kraft:${name}\\b`).test(key)),
  );
  if (wanted.length > 0) {
    throw new ConfigError(file.name, problemsOf(file, wanted));
  }
  return config as Pick<Config, Key>;
}

/** The entrypoint's own address; undefined where there is none, or `kraft:network` is invalid. */
export function entryOf(file: StackFile): string | undefined {
  return parse(file.raw).config.network?.entry;
}

/** Every tenant's name as written, valid or not. */
export function tenantsOf(file: StackFile): string[] {
  return parse(file.raw)
    .claims.map(({ name }) => name)
    .sort();
}

/** Every tenant's state and origin as written. An invalid one counts as left out; the rest of the entry may be invalid. */
export function declaredTenantsOf(file: StackFile): Pick<Tenant, "name" | "state" | "from">[] {
  const { state, from } = tenantSchema.shape;
  return tenantsOf(file).map((name) => {
    const entry = record(record(file.raw.values["tenants"])[name]);
    return {
      name,
      state: state.safeParse(entry["state"]).data ?? state.parse(undefined),
      from: from.safeParse(entry["from"]).data,
    };
  });
}

/**
 * The embedded cluster's stack file, completed with the keys that `npm run local` supplies: those of its last run, or
 * stand-ins of the right form where there was none.
 */
export function completedByLocalRun(own: PulumiFile, stack: Stack, directory: string): PulumiFile {
  // Where local/main.ts and local/engine.ts keep them.
  const folder = join(directory, ".kraft", "local", stack.name);
  const lastRun = readStackYaml(stackFilePath(join(folder, "pulumi"), stack.name));
  const supplied = Object.fromEntries(
    Object.entries(standIns(stack, folder)).map(([key, value]) => [key, lastRun?.config?.[key] ?? value]),
  );
  // Only the run knows the address of its S3 server; the rest of the key is the file's.
  const { endpoint } = record(supplied["kraft:backup"]);
  return {
    encryptionsalt: own.encryptionsalt ?? lastRun?.encryptionsalt,
    config: { ...supplied, ...own.config, "kraft:backup": { endpoint, ...record(own.config?.["kraft:backup"]) } },
  };
}

function standIns(stack: Stack, folder: string): Values {
  const secret = { secure: "made by npm run local" };
  return {
    "kraft:cluster": {
      kubeconfig: join(folder, "kubeconfig.yaml"),
      context: `kraft-local-${stack.name}`,
      uid: "11111111-1111-1111-1111-111111111111",
    },
    "kraft:nodes": Object.fromEntries(
      stack.nodes.map(({ name }, index) => [name, { address: `172.31.255.${index + 1}` }]),
    ),
    // Nothing listens there: before the first run, the bucket that the file names is never looked for at Wasabi.
    "kraft:backup": { endpoint: "http://127.0.0.1:1" },
    "kraft:wasabiAccessKeyId": secret,
    "kraft:wasabiSecretAccessKey": secret,
    "kraft:guestTokenSeed": secret,
  };
}
