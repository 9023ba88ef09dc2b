import type { z } from "zod";
import { show, type Problem } from "../../errors/problem.ts";
import { configSchema, secretKeys, tenantSchema, type Config, type TenantConfig } from "./schema.ts";

/** The `kraft:` keys of a stack as the engine hands them over, without their namespace. */
export interface RawConfig {
  /** Values by key; maps and lists already parsed. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Keys whose value is encrypted in the stack file. */
  readonly encrypted: ReadonlySet<string>;
}

/** What could be understood of a stack file, and everything that could not. */
export interface ParsedConfig {
  /** The keys that are right by themselves. Whole only if `problems` is empty. */
  readonly config: Partial<Config>;
  /** Every tenant's name as written, and its domains where they are right, whatever else is wrong with the entry. */
  readonly claims: readonly { readonly name: string; readonly domains: readonly string[] }[];
  readonly problems: readonly Problem[];
}

/**
 * Checks the shape of every key on its own, so that one wrong key does not hide what is wrong with another, and so
 * that the checks across keys can run on whatever is right.
 */
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
    if (result.success) {
      Object.assign(config, result.data === undefined ? {} : { [key]: result.data });
    } else {
      problems.push(...result.error.issues.flatMap((issue) => describe([key], value, issue)));
    }
  }
  return { config, claims, problems };
}

/** An empty map is the default in Pulumi.yaml: of a key that may be left out it says that nothing was given. */
function given(value: unknown, schema: z.ZodType): unknown {
  return isRecord(value) && Object.keys(value).length === 0 && schema.safeParse(undefined).success ? undefined : value;
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
