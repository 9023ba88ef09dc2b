import { z } from "zod";
import { type Problem, show } from "../../errors/problem.ts";
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
  const problems: Problem[] = [...unknownKeys(raw), ...unencryptedKeys(raw)];
  for (const [key, schema] of Object.entries(configSchema.shape)) {
    const value = given(raw.values[key], schema);
    if (key === "tenants" && isRecord(value)) {
      config.tenants = parseTenants(value, problems);
      claims.push(...Object.entries(value).map(([name, entry]) => ({ name, domains: domainsOf(entry) })));
      continue;
    }
    const result = schema.safeParse(value);
    if (!result.success) {
      problems.push(...result.error.issues.flatMap((issue) => describe([key], value, issue)));
    }
    const known = result.success ? result : schema.safeParse(undefined);
    if (known.data !== undefined) {
      Object.assign(config, { [key]: known.data });
    }
  }
  return { config: config as ParsedConfig["config"], claims, problems };
}

/** An empty map, for example what `pulumi config rm --path` leaves, says as little as a key that was left out. */
function given(value: unknown, schema: z.ZodType): unknown {
  return isRecord(value) && Object.keys(value).length === 0 && schema instanceof z.ZodOptional ? undefined : value;
}

function parseTenants(value: Record<string, unknown>, problems: Problem[]): Record<string, TenantConfig> {
  const tenants: Record<string, TenantConfig> = {};
  for (const [name, entry] of Object.entries(value)) {
    const result = tenantSchema.safeParse(entry);
    if (result.success) {
      tenants[name] = result.data;
    } else {
      problems.push(...result.error.issues.flatMap((issue) => describe(["tenants", name], entry, issue)));
    }
  }
  return tenants;
}

function domainsOf(entry: unknown): string[] {
  const domains = tenantSchema.shape.domains.safeParse(isRecord(entry) ? entry["domains"] : undefined);
  return domains.data ?? [];
}

function unknownKeys(raw: RawConfig): Problem[] {
  const known = Object.keys(configSchema.shape);
  return Object.keys(raw.values)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      key: `kraft:${key}`,
      found: "an unknown key",
      allowed: known.join(", "),
      fix: "correct its spelling, or remove it",
    }));
}

function unencryptedKeys(raw: RawConfig): Problem[] {
  return [...secretKeys]
    .filter((key) => isNonEmpty(raw.values[key]) && !raw.encrypted.has(key))
    .map((key) => ({
      key: `kraft:${key}`,
      found: "a value in clear text",
      allowed: "an encrypted value",
      fix: `treat it as leaked: make a new one, then pulumi config set --secret kraft:${key}`,
    }));
}

function describe(prefix: readonly string[], value: unknown, issue: z.core.$ZodIssue): Problem[] {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
  const [allowed = "", fix = ""] = issue.message.split("\n");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      key: keyOf([...path, key]),
      found: "an unknown key",
      allowed,
      fix: "correct its spelling, or remove it",
    }));
  }
  const found = issue.path.reduce<unknown>(
    (at, part) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, part) : undefined),
    value,
  );
  return [
    {
      key: keyOf(path),
      found: secretKeys.has(path[0] as string) && isNonEmpty(found) ? "a value that does not fit" : show(found),
      allowed,
      fix,
    },
  ];
}

/** `kraft:tenants.acme.domains[0]`, as `pulumi config set --path` takes it. */
function keyOf(path: readonly (string | number)[]): string {
  return path.reduce<string>((key, part, index) => {
    if (typeof part === "number") {
      return `${key}[${part}]`;
    }
    const plain = /^[A-Za-z0-9_-]+$/.test(part);
    return plain ? `${key}${index === 0 ? "" : "."}${part}` : `${key}[${JSON.stringify(part)}]`;
  }, "kraft:");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNonEmpty(value: unknown): boolean {
  return value !== undefined && value !== "";
}
