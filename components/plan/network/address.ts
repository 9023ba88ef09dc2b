import ipaddr from "ipaddr.js";

/** A range of addresses of one family, as a NetworkPolicy names it. */
type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Whether a text is an address of either family, written in full. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/**
 * Whether a text is a range in CIDR notation as Kubernetes demands it: in its shortest form, without bits beyond its
 * prefix. None as large as no home has one is taken: the boundary would close the internet.
 */
export function isRange(text: string): boolean {
  const [address = "", ...rest] = text.split("/");
  if (rest.length !== 1 || !isAddress(address) || !ipaddr.isValidCIDR(text)) {
    return false;
  }
  const [parsed, prefix] = ipaddr.parseCIDR(text);
  const [family, least] = parsed.kind() === "ipv4" ? [ipaddr.IPv4, 8] : [ipaddr.IPv6, 16];
  return prefix >= least && family.networkAddressFromCIDR(text).toString() === address;
}

/** Whether an address or a range is of IPv6. */
export function isIPv6(text: string): boolean {
  return text.includes(":");
}

/**
 * What an IPv4 address can be: one that homes give out themselves (RFC 1918, and RFC 6598, which some providers' routers do), one
 * of the internet, or one that no machine can have for others, such as 127.0.0.1 (RFC 6890).
 */
export function kindOf(address: string): "home" | "internet" | "none" {
  const range = ipaddr.IPv4.parse(address).range();
  return range === "private" || range === "carrierGradeNat" ? "home" : range === "unicast" ? "internet" : "none";
}

/** The range that holds nothing but one address. */
export function single(address: string): string {
  return `${address}/${isIPv6(address) ? 128 : 32}`;
}

/** Whether all addresses of one range lie in another. */
export function covers(outer: string, inner: string): boolean {
  const wide: Range = ipaddr.parseCIDR(outer);
  const narrow: Range = ipaddr.parseCIDR(inner);
  return wide[0].kind() === narrow[0].kind() && wide[1] <= narrow[1] && narrow[0].match(wide[0], wide[1]);
}

/** The ranges without those that others of them cover. */
export function withoutCovered(ranges: readonly string[]): string[] {
  const distinct = [...new Set(ranges)];
  return distinct.filter((range) => !distinct.some((other) => other !== range && covers(other, range)));
}

/** The address after that of an IPv4 range: the one that Kubernetes gives its API server in the range of services. */
export function firstAddress(range: string): string {
  const bytes = ipaddr.IPv4.parse(range.split("/")[0] ?? "").toByteArray();
  const last = bytes.pop() ?? 0;
  return [...bytes, last + 1].join(".");
}
