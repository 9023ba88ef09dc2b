import { covers, firstAddress, isIPv6, single, withoutCovered } from "./address.ts";
import { address, type EgressRule, type Peer, podsIn, type Port, tcp } from "./policy.ts";

/** The addresses that NetworkPolicies name. */
export interface HostNetwork {
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Addresses of the nodes, on each of which the host's API server listens on port 6443. */
  readonly nodes: readonly string[];
  /** Name servers of the nodes, which the CoreDNS of a guest asks too. */
  readonly resolvers: readonly string[];
  /** The home's own public ranges: its IPv6 prefix, a fixed public address. */
  readonly home: readonly string[];
}

/**
 * Ranges of IPv4 that are not on the internet (IANA's special-purpose registry, RFC 6890): private, shared with a
 * carrier, link-local with the metadata services of clouds, loopback, benchmarks, multicast, reserved.
 */
export const specialIPv4: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** The part of IPv6 that is routed on the internet: private, link-local and NAT64 addresses lie outside of it. */
const globalIPv6 = "2000::/3";

/** Parts of it that lead to IPv4 addresses, the home's among them: Teredo (RFC 4380) and 6to4 (RFC 3056). */
const tunnelsToIPv4 = ["2001::/32", "2002::/16"];

/** The port of the host's API server, on k3s and on Talos. */
export const apiServerPort = 6443;

/**
 * The internet without anything of the home's: no private, link-local or carrier address, no node, no pod, no service,
 * none of the home's own public ranges.
 *
 * IPv6 is open only where the home's own prefix is known: the machines in it have public addresses, which could not be
 * told from the internet otherwise.
 */
export function internet(network: HostNetwork): Peer[] {
  const own = [network.podCidr, network.serviceCidr, ...network.nodes.map(single), ...network.home];
  const blocks = [{ cidr: "0.0.0.0/0", except: withoutCovered([...specialIPv4, ...own.filter((c) => !isIPv6(c))]) }];
  if (network.home.some(isIPv6)) {
    const within = own.filter((range) => covers(globalIPv6, range));
    blocks.push({ cidr: globalIPv6, except: withoutCovered([...tunnelsToIPv4, ...within]) });
  }
  return blocks.map((ipBlock) => ({ ipBlock }));
}

/**
 * To the web ports of the home's own fixed addresses of IPv4, which `internet` leaves out: behind one of them is the
 * entrypoint. None where the address changes, since then it is like any other of the internet.
 */
export function toPublicAddresses(network: HostNetwork): EgressRule[] {
  const fixed = network.home.filter((range) => !isIPv6(range) && range.endsWith("/32"));
  return fixed.length === 0 ? [] : [{ to: fixed.map((cidr) => ({ ipBlock: { cidr } })), ports: tcp(80, 443) }];
}

/**
 * To the host's API server: on every node, and at its Service's address, for plugins that decide before translation.
 */
export function toHostApi(network: HostNetwork): EgressRule[] {
  return [
    { to: network.nodes.map(address), ports: tcp(apiServerPort) },
    { to: [address(firstAddress(network.serviceCidr))], ports: tcp(443) },
  ];
}

const dnsPorts: Port[] = [{ protocol: "UDP", port: 53 }, ...tcp(53)];

/** To the host's own DNS, which knows the Services of all namespaces. */
export const toClusterDns: EgressRule = { to: [podsIn("kube-system", { "k8s-app": "kube-dns" })], ports: dnsPorts };

/** To the name servers of the nodes, for DNS only: one of them is often the router. */
export function toResolvers(network: HostNetwork): EgressRule {
  return { to: network.resolvers.map(address), ports: dnsPorts };
}
