import { destinationText, portText, type PublicPort } from "../../components/plan/ports.ts";
import type { Model, Tenant } from "../model.ts";
import type { Table } from "../table.ts";

/**
 * The ports that Traefik listens on for tenants: of those that have a guest, suspended ones included. A tenant that waits for
 * its volumes counts too, since every change of these restarts Traefik.
 */
export function publicPorts(tenants: readonly Tenant[]): PublicPort[] {
  return holders(tenants).flatMap(({ ports }) => ports);
}

/** What the home's router has to forward, and where to; only where tenants have ports beside 80 and 443. */
export function publicPortTables({
  tenants,
  entry,
  nodes,
}: Pick<Model, "tenants" | "entry" | "nodes">): readonly Table[] {
  const rows = holders(tenants).flatMap(({ name, state, ports }) =>
    ports.map((port) => [
      portText(port),
      name,
      `${destinationText(port)}${state === "suspended" ? ", while it is suspended nowhere" : ""}`,
    ]),
  );
  const target = entry ?? (nodes.length === 1 ? nodes[0]?.address : undefined) ?? "one of the nodes";
  const title = `What the router has to forward to ${target}`;
  const everybody = ["80/tcp, 443/tcp", "all", "their Ingresses"];
  return rows.length === 0 ? [] : [{ title, rows: [["port", "tenant", "leads to"], everybody, ...rows] }];
}

function holders(tenants: readonly Tenant[]): Tenant[] {
  return tenants.filter(({ state, ports }) => (state === "active" || state === "suspended") && ports.length > 0);
}
