import { z } from "zod";
import { closest } from "../../errors/closest.ts";
import { type Problem, show } from "../../errors/problem.ts";
import { keyPath } from "./plain-yaml.ts";
import { isRecord, record } from "./pulumi-files.ts";
import { type Config, configSchema, secretKeys, type TenantConfig, tenantSchema } from "./schema.ts";

/** The `kraft:` keys of a stack, without their namespace. */
export interface RawConfig {
  /** Values by key; maps and lists already parsed. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Keys whose value is encrypted in the stack file. */
  readonly encrypted: ReadonlySet<string>;
}

/**
 * Picks the `kraft:` keys out of a stack's configuration, in which maps and lists are parsed, or JSON, which is how the
 * engine passes them on. An empty text counts as a key that was left out.
 */
export function rawConfig(config: Readonly<Record<string, unknown>>, encrypted: (name: string) => boolean): RawConfig {
  const ours = Object.entries(config).filter(
    ([name, value]) => name.startsWith(namespace) && value !== "" && value !== null && value !== undefined,
  );
  return {
    values: Object.fromEntries(
      ours.map(([name, value]) => {
        const key = name.slice(namespace.length);
        return [key, secretKeys.has(key) ? value : plainValue(value)];
      }),
    ),
    encrypted: new Set(ours.filter(([name]) => encrypted(name)).map(([name]) => name.slice(namespace.length))),
  };
}

const namespace = "kraft:";

type Path = readonly (string | number)[];

/** A scalar as the engine has it, which is as text; maps and lists parsed. */
function plainValue(value: unknown): unknown {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    return value;
  }
  const text = String(value);
  try {
    return /^[[{]/.test(text) ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}

/** The valid part of a stack file, and the problems of the rest. */
export interface ParsedConfig {
  /** The keys that are valid by themselves, and the defaults of those that are not. Complete only without `problems`. */
  readonly config: Partial<Config> & Pick<Config, "capacity">;
  /** Every tenant's name as written, and its domains where they are valid, whatever else is wrong with the entry. */
  readonly claims: readonly { readonly name: string; readonly domains: readonly string[] }[];
  readonly problems: readonly Problem[];
}

/** Checks the shape of every key on its own, so that a wrong key does not hide the problems of another. */
export function parse(raw: RawConfig): ParsedConfig {
  const config: Partial<Config> = {};
  const claims: ParsedConfig["claims"][number][] = [];
  const meant = new Set<string>();
  const problems: Problem[] = [...unknownKeys(raw, meant), ...unencryptedKeys(raw)];
  for (const [key, schema] of Object.entries(configSchema.shape)) {
    const value = given(raw.values[key], schema);
    if (key === "tenants" && isRecord(value)) {
      config.tenants = parseTenants(value, problems, meant);
      claims.push(...Object.entries(value).map(([name, entry]) => ({ name, domains: domainsOf(entry) })));
      continue;
    }
    const result = schema.safeParse(value);
    if (!result.success) {
      problems.push(...result.error.issues.flatMap((issue) => describe([key], value, issue, meant)));
    }
    const known = result.success ? result : schema.safeParse(undefined);
    if (known.data !== undefined) {
      Object.assign(config, { [key]: known.data });
    }
  }
  return {
    config: config as ParsedConfig["config"],
    claims,
    problems: problems.filter(({ key, found }) => found !== show(undefined) || !meant.has(key)),
  };
}

/**
 * A problem for a key that there is not, with the one that it resembles.
 *
 * @param names The keys that there are in its place.
 * @param meant Collects the keys that misspelt ones stand for: they are not missing as well.
 */
function unknownKey(path: Path, names: readonly string[], allowed: string, meant: Set<string>): Problem {
  const name = closest(String(path.at(-1)), names);
  const key = name === undefined ? undefined : keyOf([...path.slice(0, -1), name]);
  if (key !== undefined) {
    meant.add(key);
  }
  return {
    key: keyOf(path),
    found: "an unknown key",
    allowed,
    fix: writtenSecret(path) ?? (key === undefined ? "correct its spelling, or remove it" : `did you mean ${key}?`),
  };
}

/** The fix for a password where only its user belongs; undefined for any other key. */
function writtenSecret(path: Path): string | undefined {
  return keyOf(path) === "kraft:alerts.email.password" ? leaked("alertEmailPassword") : undefined;
}

function leaked(key: string): string {
  return `treat it as leaked: make a new one, then pulumi config set --secret ${namespace}${key}`;
}

/** An empty map, for example what `pulumi config rm --path` leaves, says as little as a key that was left out. */
function given(value: unknown, schema: z.ZodType): unknown {
  return isRecord(value) && Object.keys(value).length === 0 && schema instanceof z.ZodOptional ? undefined : value;
}

function parseTenants(
  value: Record<string, unknown>,
  problems: Problem[],
  meant: Set<string>,
): Record<string, TenantConfig> {
  const tenants: Record<string, TenantConfig> = {};
  for (const [name, entry] of Object.entries(value)) {
    const result = tenantSchema.safeParse(entry);
    if (result.success) {
      tenants[name] = result.data;
    } else {
      problems.push(...result.error.issues.flatMap((issue) => describe(["tenants", name], entry, issue, meant)));
    }
  }
  return tenants;
}

function domainsOf(entry: unknown): string[] {
  const domains = tenantSchema.shape.domains.safeParse(isRecord(entry) ? entry["domains"] : undefined);
  return domains.data ?? [];
}

function unknownKeys(raw: RawConfig, meant: Set<string>): Problem[] {
  const known = Object.keys(configSchema.shape);
  const allowed = "the keys of Kraft, which infra/config/stack.schema.json lists";
  return Object.keys(raw.values)
    .filter((key) => !known.includes(key))
    .map((key) => unknownKey([key], known, allowed, meant));
}

function unencryptedKeys(raw: RawConfig): Problem[] {
  return [...secretKeys]
    .filter((key) => isNonEmpty(raw.values[key]) && !raw.encrypted.has(key))
    .map((key) => ({
      key: `kraft:${key}`,
      found: "a value in clear text",
      allowed: "an encrypted value",
      fix: leaked(key),
    }));
}

function describe(prefix: Path, value: unknown, issue: z.core.$ZodIssue, meant: Set<string>): Problem[] {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
  const [allowed = "", fix = ""] = issue.message.split("\n");
  if (issue.code === "unrecognized_keys") {
    const names = namesAt(path);
    return issue.keys.map((key) => unknownKey([...path, key], names, allowed, meant));
  }
  const found = issue.path.reduce<unknown>(
    (at, part) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, part) : undefined),
    value,
  );
  return [
    {
      key: keyOf(path),
      found:
        secretKeys.has(path[0] as string) && isNonEmpty(found)
          ? "a value that does not fit"
          : show(issue.code === "invalid_key" ? path.at(-1) : found),
      allowed,
      fix,
    },
  ];
}

/** The keys of a map in a stack file, by the schema. */
function namesAt([key = "", ...path]: Path): string[] {
  const ofKey = Object.entries(configSchema.shape).find(([name]) => name === key)?.[1];
  const schema = ofKey === undefined ? {} : z.toJSONSchema(ofKey, { io: "input" });
  const found = path.reduce<unknown>(
    (at, part) => record(record(at)["properties"])[part] ?? record(at)["additionalProperties"] ?? record(at)["items"],
    schema,
  );
  const { anyOf, oneOf } = record(found);
  const variants = [
    found,
    ...(Array.isArray(anyOf) ? (anyOf as unknown[]) : []),
    ...(Array.isArray(oneOf) ? (oneOf as unknown[]) : []),
  ];
  return [...new Set(variants.flatMap((variant) => Object.keys(record(record(variant)["properties"]))))];
}

function keyOf([key = "", ...path]: Path): string {
  return keyPath([`${namespace}${key}`, ...path]);
}

function isNonEmpty(value: unknown): boolean {
  return value !== undefined && value !== "";
}
