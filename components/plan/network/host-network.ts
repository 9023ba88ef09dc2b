import { covers, firstAddress, isIPv6, single, withoutCovered } from "./address.ts";
import type { EgressRule, Peer } from "./policy.ts";

/** Where everything is that a NetworkPolicy has to name by address. */
export interface HostNetwork {
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Addresses of the nodes, on each of which the host's API server listens on port 6443. */
  readonly nodes: readonly string[];
  /** Name servers that the nodes use: what the CoreDNS of a guest, which runs with the nodes' settings, asks. */
  readonly resolvers: readonly string[];
  /** Public ranges that are the home's own: its IPv6 prefix, a fixed public address. */
  readonly home: readonly string[];
}

/**
 * Ranges of IPv4 that are not on the internet (IANA's special-purpose registry, RFC 6890): private, shared with a
 * carrier, link-local with the metadata services of clouds, loopback, benchmarks, multicast, reserved.
 */
const specialIPv4 = [
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
] as const;

/** The part of IPv6 that is routed on the internet: private, link-local and NAT64 addresses lie outside of it. */
const globalIPv6 = "2000::/3";

/** Parts of it that lead to an IPv4 address, which may be one of the home's: Teredo (RFC 4380) and 6to4 (RFC 3056). */
const tunnelsToIPv4 = ["2001::/32", "2002::/16"] as const;

/** The port of the host's API server, on k3s and on Talos. */
const apiServerPort = 6443;

/**
 * The internet without anything of the home's: no private, link-local or carrier address, no node, no pod, no service,
 * none of the home's own public ranges.
 *
 * IPv6 is open only where the home's own prefix is known: the machines in it have public addresses, and without it there
 * would be no telling them from the internet.
 */
export function internet(network: HostNetwork): readonly Peer[] {
  const own = [network.podCidr, network.serviceCidr, ...network.nodes.map(single), ...network.home];
  const blocks = [{ cidr: "0.0.0.0/0", except: withoutCovered([...specialIPv4, ...own.filter((c) => !isIPv6(c))]) }];
  if (network.home.some(isIPv6)) {
    const within = own.filter((range) => covers(globalIPv6, range));
    blocks.push({ cidr: globalIPv6, except: withoutCovered([...tunnelsToIPv4, ...within]) });
  }
  return blocks.map((ipBlock) => ({ ipBlock }));
}

/**
 * To the host's API server: on every node, where the address of its Service leads, and that address itself for network
 * plugins that decide before it is translated.
 */
export function toHostApi(network: HostNetwork): readonly EgressRule[] {
  return [
    {
      to: network.nodes.map((address) => ({ ipBlock: { cidr: single(address) } })),
      ports: [{ protocol: "TCP", port: apiServerPort }],
    },
    {
      to: [{ ipBlock: { cidr: single(firstAddress(network.serviceCidr)) } }],
      ports: [{ protocol: "TCP", port: 443 }],
    },
  ];
}

const dnsPorts = [
  { protocol: "UDP", port: 53 },
  { protocol: "TCP", port: 53 },
] as const;

/** To the host's own DNS, which knows the Services of all namespaces. */
export const toClusterDns: EgressRule = {
  to: [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    },
  ],
  ports: dnsPorts,
};

/** To the name servers that the nodes use, and nothing but their DNS: one of them is often the router. */
export function toResolvers(network: HostNetwork): EgressRule {
  return { to: network.resolvers.map((address) => ({ ipBlock: { cidr: single(address) } })), ports: dnsPorts };
}
