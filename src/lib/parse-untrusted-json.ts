import { maxJsonContainers, maxJsonMembers } from '../limits.ts';

const openBracket = 0x5b;
const openBrace = 0x7b;
const colon = 0x3a;

/**
 * JSON of somebody else. Text in it costs what it has in bytes, and numbers 8 bytes each. An empty array of 3 bytes costs
 * some 50 once it is parsed, so brackets and colons are counted first; those in texts count as well.
 *
 * @param bytes UTF-8.
 * @param fatal whether bytes that are no UTF-8 are refused, instead of replaced.
 * @throws {RangeError} if it has more than `maxJsonContainers` or `maxJsonMembers`.
 * @throws {SyntaxError} (or TypeError, for no UTF-8) if it is no JSON.
 */
export function parseUntrustedJson(bytes: Uint8Array, fatal = false): unknown {
  let containers = 0;
  let members = 0;
  for (const byte of bytes) {
    if (byte === openBracket || byte === openBrace) containers++;
    else if (byte === colon) members++;
  }
  if (containers > maxJsonContainers || members > maxJsonMembers) {
    throw new RangeError(
      `more than ${maxJsonContainers} arrays and objects, or ${maxJsonMembers} members, which cost much memory`,
    );
  }
  return JSON.parse(new TextDecoder('utf-8', { fatal, ignoreBOM: false }).decode(bytes));
}
