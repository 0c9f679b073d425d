import ipaddr from "ipaddr.js";

/** Where IPv6 assigns addresses of the public Internet; RFC 4291, section 2.4. */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");
/** Carries an IPv4 address in its last four bytes; RFC 6052. */
const nat64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

/** Public by its range, yet answered by the host of each virtual machine on Azure: names, agents' goal state, certificates. */
const azureHost = "168.63.129.16";

/**
 * Why a job may not connect to this address without a grant for private ones, such as "a loopback address";
 * undefined where it is public.
 */
export function addressProblem(text: string): string | undefined {
  if (!ipaddr.isValid(text)) return "no IP address";
  // Also turns ::ffff:127.0.0.1 into 127.0.0.1.
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv4) {
    return address.toString() === azureHost ? "the address of Azure's own services" : problemOfRange(address.range());
  }
  if (address.zoneId !== undefined && address.zoneId !== null) return "an address of one network interface";
  if (address.match(nat64)) return addressProblem(new ipaddr.IPv4(address.toByteArray().slice(12)).toString());
  const range = problemOfRange(address.range());
  if (range !== undefined) return range;
  return address.match(globalUnicast) ? undefined : "a reserved address";
}

function problemOfRange(range: string): string | undefined {
  switch (range) {
    case "unicast":
      return undefined;
    case "loopback":
      return "a loopback address (this machine)";
    case "private":
    case "uniqueLocal":
    case "carrierGradeNat":
    case "deprecatedSiteLocal":
      return "an address of a private network";
    case "linkLocal":
      return "a link-local address (where clouds keep machine credentials)";
    case "multicast":
    case "broadcast":
      return "a multicast address";
    default:
      return `a reserved address (${range})`;
  }
}
