/**
 * Rules of nftables that let no IPv6 through the bridges that pods are on. Clusters here have IPv4 networks only, so that no
 * NetworkPolicy is ever in force for IPv6, and by the addresses that the kernel gives every device (fe80::) all pods of a node
 * would reach each other and the node. Loading them again changes nothing.
 *
 * On Talos, where nobody loads rules, the kernel gives no such addresses: `ipv6OffArgument`.
 */
export const podBridgeRules = `table bridge kraft {}
delete table bridge kraft
table bridge kraft {
  chain ipv4-only {
    type filter hook prerouting priority filter; policy accept;
    ether type ip6 drop
  }
}
`;

/**
 * The kernel's argument that gives no device an IPv6 address, in any network namespace (docs.kernel.org, networking/ipv6). The
 * setting of the same name does that for the machine's own devices only: a new namespace takes this argument's value
 * (addrconf_init_net in net/ipv6/addrconf.c). Programs may go on listening on `::`.
 */
export const ipv6OffArgument = "ipv6.disable_ipv6=1";
