import { arrivedFromAnnotation, departureText, movedToAnnotation, type Departure } from "../../components/plan/move.ts";
import { tenantNames } from "../../components/plan/names.ts";
import type { WritableHost } from "../../cluster/client.ts";

/** Writes in the cluster that a tenant leaves that the guest must not start there again. */
export function recordDeparture(host: WritableHost, tenant: string, departure: Departure): Promise<void> {
  return annotate(host, tenant, { [movedToAnnotation]: departureText(departure) });
}

/** Writes in the cluster that a tenant comes to that its data is there, whole: the guest may start. */
export function recordArrival(host: WritableHost, tenant: string, from: string): Promise<void> {
  return annotate(host, tenant, { [arrivedFromAnnotation]: from });
}

export function forgetDeparture(host: WritableHost, tenant: string): Promise<void> {
  return annotate(host, tenant, { [movedToAnnotation]: null });
}

export function forgetArrival(host: WritableHost, tenant: string): Promise<void> {
  return annotate(host, tenant, { [arrivedFromAnnotation]: null });
}

/** A patch, which fails where the namespace is gone: an apply would make it anew, without its boundary. */
function annotate(
  host: WritableHost,
  tenant: string,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  return host.merge(`/api/v1/namespaces/${tenantNames(tenant).namespace}`, { metadata: { annotations } });
}
