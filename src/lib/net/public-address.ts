import ipaddr from 'ipaddr.js';

/** 2000::/3, the only part of IPv6 that IANA hands out for the public internet. */
const globalUnicast = ipaddr.IPv6.parse('2000::');
const globalUnicastBits = 3;

/** Microsoft Azure's own services answer there, but only to its virtual machines. */
const azureServices = '168.63.129.16';

/** Bytes 8 to 11 of an ISATAP address (RFC 5214, 6.1), with the bit for a globally unique address or without. */
const isatap = [
  [0x00, 0x00, 0x5e, 0xfe],
  [0x02, 0x00, 0x5e, 0xfe],
];

/**
 * Whether an address is one of the public internet: neither loopback, link-local, private, shared
 * (RFC 6598), multicast, reserved nor documentation, and no IPv6 address that carries an IPv4 one (mapped, compatible,
 * 6to4, Teredo, NAT64, ISATAP), because such an address may lead into a private network.
 *
 * @param text an address without brackets or port.
 * @returns false also if the text is not an address.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv6) {
    if (!address.match(globalUnicast, globalUnicastBits)) return false;
    const middle = address.toByteArray().slice(8, 12);
    if (isatap.some((bytes) => bytes.every((byte, index) => byte === middle[index]))) return false;
  } else if (address.toString() === azureServices) return false;
  return address.range() === 'unicast';
}

/** Whether a URL's host is an address rather than a name. WHATWG URL has normalised decimal, octal and hex. */
export function toHostAddress(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return ipaddr.isValid(bare) ? bare : undefined;
}
