import { maxJsonContainers, maxJsonMembers } from '../limits.ts';

const openBracket = 0x5b;
const openBrace = 0x7b;
const colon = 0x3a;

/**
 * Parses JSON from a caller. A text takes as much memory as its bytes, and a number 8 bytes. An empty array of 3 bytes
 * takes some 50 after parsing, so brackets and colons are counted first, including those inside texts.
 *
 * @param bytes UTF-8.
 * @param fatal whether invalid UTF-8 is refused instead of replaced.
 * @throws {RangeError} if it has more than `maxJsonContainers` or `maxJsonMembers`.
 * @throws {SyntaxError} if it is not JSON; TypeError if it is not UTF-8.
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
