import type { CustomKinds } from "./custom-kinds.ts";
import { type GuestName, syncedName, tenantNames } from "./names.ts";
import type { Port } from "./network/policy.ts";

/**
 * A port of the home's public address that leads to one Service of a tenant. The stack file writes it as
 * `25565/tcp: games/minecraft:25565`.
 */
export interface PublicPort {
  /** What visitors connect to. Traefik listens on the same number, and so do the nodes where there is only one. */
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** The Service as the guest knows it. It need not exist yet. */
  readonly service: GuestName;
  /** The port of the Service, not of its pods. */
  readonly servicePort: number;
}

/** Most public ports of one tenant: each is a rule in the home's router, by hand. */
export const publicPortLimit = 10;

/** Ports below it are services of the machines and the router, such as SSH and DNS (IANA's system ports, RFC 6335). */
export const firstPublicPort = 1024;

/** Kubernetes' own range for node ports (`--service-node-port-range` of the API server). */
export const nodePorts = { first: 30000, last: 32767 } as const;

/**
 * Ports that no tenant gets, and whose they are. The nodes' count on every stack, since a tenant may move to one whose only
 * node takes the public ports itself. Sources: Kubernetes' "Ports and Protocols", K3s' "Requirements", Talos' "Ingress
 * Firewall", MetalLB's "Requirements".
 */
const reservedPorts: ReadonlyMap<number, string> = new Map([
  ...[2379, 2380].map((port) => [port, "etcd's"] as const),
  [6443, "the host's API server's"],
  [7472, "MetalLB's"],
  [7946, "MetalLB's"],
  [8000, "Traefik's own"],
  [8080, "Traefik's own"],
  [8443, "Traefik's own"],
  [8472, "the pod network's"],
  [9100, "Traefik's own"],
  ...[10248, 10249, 10250, 10256, 10257, 10258, 10259].map((port) => [port, "Kubernetes' on every node"] as const),
  [50000, "Talos'"],
  [50001, "Talos'"],
]);

/** Whose a port is that no tenant gets; undefined where a tenant may have it. */
export function ownerOfPort(port: number): string | undefined {
  return port >= nodePorts.first && port <= nodePorts.last ? "one of Kubernetes' node ports" : reservedPorts.get(port);
}

/** A public port as the stack file and the router write it. */
export function portText({ port, protocol }: Pick<PublicPort, "port" | "protocol">): string {
  return `${port}/${protocol}`;
}

/** Where a public port leads, as the stack file writes it. */
export function destinationText({ service, servicePort }: Pick<PublicPort, "service" | "servicePort">): string {
  return `${service.namespace}/${service.name}:${servicePort}`;
}

/**
 * The name of Traefik's entry point for a public port. It is the name of a container's port too, for which Kubernetes allows
 * 15 characters: this has 14 at most.
 */
export function entryPointName({ port, protocol }: Pick<PublicPort, "port" | "protocol">): string {
  return `port-${port}-${protocol}`;
}

/** Public ports as a NetworkPolicy names them. */
export function policyPorts(ports: readonly PublicPort[]): Port[] {
  return ports.map(({ port, protocol }) => ({ port, protocol: protocol === "tcp" ? "TCP" : "UDP" }));
}

/** The `spec` of the route from an entry point of TCP to the tenant's Service, by its name on the host. */
export function tcpRoute(tenant: string, port: PublicPort): CustomKinds["IngressRouteTCP"] {
  // Without TLS there is no name to tell connections apart: the whole entry point is this Service's.
  return {
    entryPoints: [entryPointName(port)],
    routes: [{ match: "HostSNI(`*`)", services: servicesOf(tenant, port) }],
  };
}

/** The same for UDP. */
export function udpRoute(tenant: string, port: PublicPort): CustomKinds["IngressRouteUDP"] {
  return { entryPoints: [entryPointName(port)], routes: [{ services: servicesOf(tenant, port) }] };
}

function servicesOf(tenant: string, { service, servicePort }: PublicPort) {
  return [{ name: syncedName(tenantNames(tenant).cluster, service), port: servicePort }];
}
