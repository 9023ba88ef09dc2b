import { reservedTenantNames, tenantLabel, tenantNamePattern, tenantOfNamespace } from "../../components/plan/names.ts";
import { record } from "../config/pulumi-files.ts";
import type { Fields } from "./fields.ts";

/** The owner of everything that belongs to no tenant. No tenant can have this name. */
export const platformOwner = "platform";

/**
 * The tenant an object belongs to, or `platform`. The program itself is the best source: what a tenant's component
 * declares (`inTenant`) is that tenant's, by its name, such as `tenant-acme-namespace`. Then the label, then the namespace.
 */
export function ownerOf(resource: string, inTenant: boolean, object: Fields): string {
  return (
    tenant(inTenant ? /^tenant-([^-]+)(-|$)/.exec(resource)?.[1] : undefined) ??
    tenant(record(record(object["metadata"])["labels"])[tenantLabel]) ??
    tenant(tenantOfNamespace(namespaceOf(object))) ??
    platformOwner
  );
}

function namespaceOf(object: Fields): string {
  const { name, namespace } = record(object["metadata"]);
  // A PersistentVolume has no namespace, but its claim has.
  const ofClaim = record(record(object["spec"])["claimRef"])["namespace"];
  const own = object["kind"] === "Namespace" ? name : (namespace ?? ofClaim);
  return typeof own === "string" ? own : "";
}

function tenant(name: unknown): string | undefined {
  return typeof name === "string" && tenantNamePattern.test(name) && !reservedTenantNames.has(name) ? name : undefined;
}
