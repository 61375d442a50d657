import ipaddr from "ipaddr.js";

/** The only block that IANA assigns global unicast IPv6 addresses from. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");
/** RFC 6052: an IPv4 address in the last four bytes, behind a translator. */
const WELL_KNOWN_NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

/**
 * Whether an IP address belongs to the public internet. Private, loopback, link-local, unique local, shared (CGNAT), multicast, broadcast,
 * documentation, benchmarking, tunnel and reserved addresses do not, nor does IPv4 in IPv6, nor what is no address in its usual
 * notation. `64:ff9b::/96` (NAT64) is what its IPv4 address is.
 */
export function isPublicAddress(address: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address).range() === "unicast";
  if (!ipaddr.IPv6.isValid(address)) return false;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.match(WELL_KNOWN_NAT64)) return new ipaddr.IPv4(parsed.toByteArray().slice(-4)).range() === "unicast";
  return parsed.match(GLOBAL_UNICAST) && parsed.range() === "unicast";
}
