import { tenantNames } from "../components/plan/names.ts";
import type { WritableHost } from "./client.ts";
import { paths } from "./paths.ts";

/**
 * Sets annotations on a tenant's namespace, or removes those that are null. It is a patch, which fails where the namespace
 * is gone: an apply would create it again, without the tenant boundary.
 */
export function annotateTenant(
  host: WritableHost,
  tenant: string,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  return host.merge(paths.namespaces.named(tenantNames(tenant).namespace), { metadata: { annotations } });
}
