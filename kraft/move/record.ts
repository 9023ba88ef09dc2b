import type { WritableHost } from "../../cluster/client.ts";
import { annotateTenant } from "../../cluster/tenant-annotations.ts";
import { arrivedFromAnnotation, type Departure, departureText, movedToAnnotation } from "../../components/plan/move.ts";

/** Records in the cluster that a tenant leaves that the guest must not start there again. */
export function recordDeparture(host: WritableHost, tenant: string, departure: Departure): Promise<void> {
  return annotateTenant(host, tenant, { [movedToAnnotation]: departureText(departure) });
}

/** Records in the cluster that a tenant comes to that all of its data is there: the guest may start. */
export function recordArrival(host: WritableHost, tenant: string, from: string): Promise<void> {
  return annotateTenant(host, tenant, { [arrivedFromAnnotation]: from });
}

export function forgetDeparture(host: WritableHost, tenant: string): Promise<void> {
  return annotateTenant(host, tenant, { [movedToAnnotation]: null });
}

export function forgetArrival(host: WritableHost, tenant: string): Promise<void> {
  return annotateTenant(host, tenant, { [arrivedFromAnnotation]: null });
}
