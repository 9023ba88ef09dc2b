import { specialIPv4 } from "../network/host-network.ts";

/**
 * The mark of packets that network policies have judged: kube-router's firewall, which k3s has built in, sets it on each packet
 * of a pod that it has rules for and whose policies allow it (`syncPodFirewallChains` in its pkg/controllers/netpol/pod.go).
 */
const judgedMark = "0x20000";

/**
 * Seconds that a pod waits after its first judged packet: more than the firewall takes to write its rules anew, which was 1.4 at
 * most in sixty writings, while pods started on three nodes that share two cores (kube-router 2.1.0 with `-v=1`).
 */
const settleSeconds = 5;

/** More pods than a node starts in a day, after which a pod that has opened no connection is forgotten, and waits once more. */
const podsPerDay = 131_072;

/**
 * Rules of nftables for what comes from the pods of a node, in addition to NetworkPolicies. Loading them again lets every pod
 * wait once more, and changes nothing else.
 *
 * - No IPv6: clusters here have IPv4 networks only, so that no NetworkPolicy is ever in force for IPv6, and by the addresses
 *   that the kernel gives every device (fe80::) all pods of a node would reach each other and the node. On Talos, where nobody
 *   loads rules, the kernel gives no such addresses: `ipv6OffArgument`.
 * - No connection that policies have not judged. kube-router knows a pod only a second after its start, and leaves earlier
 *   connections open. What a pod sends in that second is dropped, and the pod's kernel sends it again.
 * - None in the first seconds of that, but to the name server of a guest. kube-router reads policies before pods
 *   (`fullPolicySync`), so that it judges a pod which gets its address in between by no policy, until it writes its rules anew,
 *   which it then does at once. It also marks what only the policies of a receiver on the same node have judged. The host's name
 *   server is no exception, since it would tell the names of all tenants. A pod is known by the hardware address of its
 *   device, which is random and which no tenant's pod may change.
 * - No refusal of a name server's (port 53, the destination's in the packet that an ICMP message quotes): the name server's node does
 *   not know a new pod either, and a resolver that is refused gives up, where one that hears nothing asks again.
 * - No ping but to the internet, unless policies have judged it. The release of kube-router in k3s (2.6.3) lets every ping
 *   through without asking them (`CommonICMPRules` in its pkg/utils/iptables.go), and pings tell which machines a home has.
 *
 * @param clusterDns Address of the host's name server, as a Service.
 */
export function podBridgeRules(clusterDns: string): string {
  return `table bridge kraft {}
delete table bridge kraft
table bridge kraft {
  chain ipv4-only {
    type filter hook prerouting priority filter; policy accept;
    ether type ip6 drop
  }
}
table ip kraft {}
delete table ip kraft
table ip kraft {
  set known {
    type ether_addr; flags dynamic, timeout; size ${podsPerDay}; timeout 1d;
  }
  set waiting {
    type ether_addr; flags dynamic, timeout; size ${podsPerDay}; timeout ${settleSeconds}s;
  }
  chain judged-only {
    ct state established,related accept
    meta l4proto icmp ip daddr != { ${specialIPv4.join(", ")} } accept
    meta mark & ${judgedMark} != ${judgedMark} drop
    ether saddr != @known add @waiting { ether saddr } add @known { ether saddr }
    meta l4proto { tcp, udp } th dport 53 ct status dnat ct original ip daddr != ${clusterDns} accept
    ether saddr @waiting drop
    ether saddr @known update @known { ether saddr } accept
    drop
  }
  chain to-pods {
    type filter hook postrouting priority filter; policy accept;
    oifname "cni0" icmp type destination-unreachable @th,240,16 53 drop
  }
  chain forward {
    type filter hook forward priority filter + 10; policy accept;
    iifname "cni0" jump judged-only
  }
  chain input {
    type filter hook input priority filter + 10; policy accept;
    iifname "cni0" jump judged-only
  }
}
`;
}

/**
 * The kernel's argument that gives no device an IPv6 address, in any network namespace (docs.kernel.org, networking/ipv6). The
 * setting of the same name does that for the machine's own devices only: a new namespace takes this argument's value
 * (addrconf_init_net in net/ipv6/addrconf.c). Programs may go on listening on `::`.
 */
export const ipv6OffArgument = "ipv6.disable_ipv6=1";
