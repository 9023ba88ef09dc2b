import { reservedTenantNames, tenantLabel, tenantNamePattern, tenantNames } from "../../components/plan/names.ts";

/** Whom everything belongs to that is no tenant's. No tenant can be called so. */
export const platformOwner = "platform";

/** What is known of an object when one asks whose it is. */
export interface Traits {
  readonly urn: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/**
 * The tenant an object belongs to, or `platform`. What the program says counts most: in its component nothing can be
 * mistaken. Then the label, then the namespace.
 */
export function ownerOf({ urn, object }: Traits): string {
  return tenantOfUrn(urn) ?? tenantOfLabel(object) ?? tenantOfNamespace(object) ?? platformOwner;
}

/** `urn:pulumi:local::kraft::kraft:index:Tenant$kubernetes:core/v1:Namespace::tenant-acme-namespace` is acme's. */
function tenantOfUrn(urn: string): string | undefined {
  const [, , types = "", name = ""] = urn.split("::");
  const inTenant = types.split("$").includes("kraft:index:Tenant");
  return inTenant ? tenant(/^tenant-([^-]+)(-|$)/.exec(name)?.[1]) : undefined;
}

function tenantOfLabel(object: Traits["object"]): string | undefined {
  const { labels } = record(object["metadata"]);
  return tenant(record(labels)[tenantLabel]);
}

function tenantOfNamespace(object: Traits["object"]): string | undefined {
  const { name, namespace } = record(object["metadata"]);
  // A volume has no namespace of its own, but it is claimed from one.
  const claimed = record(record(object["spec"])["claimRef"])["namespace"];
  const own = object["kind"] === "Namespace" ? name : (namespace ?? claimed);
  const prefix = tenantNames("").namespace;
  return typeof own === "string" && own.startsWith(prefix) ? tenant(own.slice(prefix.length)) : undefined;
}

function tenant(name: unknown): string | undefined {
  return typeof name === "string" && tenantNamePattern.test(name) && !reservedTenantNames.has(name) ? name : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
