import { reservedTenantNames, tenantLabel, tenantNamePattern, tenantNames } from "../../components/plan/names.ts";
import { asFields, type Fields } from "./fields.ts";

/** The owner of everything that belongs to no tenant. No tenant can have this name. */
export const platformOwner = "platform";

/** What an object is called, and who owns it. */
export interface Identity {
  /** A tenant's name, or `platform`. */
  readonly owner: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The API group of an object; empty for the core group. */
export function apiGroupOf({ apiVersion }: Pick<Identity, "apiVersion">): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

/**
 * The tenant an object belongs to, or `platform`. The program itself is the best source: what a tenant's component
 * declares is that tenant's. Then the label, then the namespace.
 *
 * @param resource The program's name for the object, for example `tenant-acme-namespace`.
 * @param inTenant Whether it is declared by a tenant's component.
 */
export function ownerOf(resource: string, inTenant: boolean, object: Fields): string {
  return (
    tenant(inTenant ? /^tenant-([^-]+)(-|$)/.exec(resource)?.[1] : undefined) ??
    tenant(asFields(asFields(object["metadata"])["labels"])[tenantLabel]) ??
    tenantOfNamespace(object) ??
    platformOwner
  );
}

function tenantOfNamespace(object: Fields): string | undefined {
  const { name, namespace } = asFields(object["metadata"]);
  // A PersistentVolume has no namespace, but its claim has.
  const ofClaim = asFields(asFields(object["spec"])["claimRef"])["namespace"];
  const own = object["kind"] === "Namespace" ? name : (namespace ?? ofClaim);
  const prefix = tenantNames("").namespace;
  return typeof own === "string" && own.startsWith(prefix) ? tenant(own.slice(prefix.length)) : undefined;
}

function tenant(name: unknown): string | undefined {
  return typeof name === "string" && tenantNamePattern.test(name) && !reservedTenantNames.has(name) ? name : undefined;
}
