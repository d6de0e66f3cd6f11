/** The largest prime below 2^16. */
export const modulus = 65_521;
/** So many bytes of 255 can be added before the sums outgrow 32 bits. */
export const bytesPerReduction = 5552;

/**
 * Continues an Adler-32 over bytes [start, end). Begin with 1.
 *
 * @see RFC 1950 2.2 and section 8
 */
export function adler32(bytes: Uint8Array, start: number, end: number, previous = 1): number {
  let a = previous & 0xffff;
  let b = previous >>> 16;
  for (let at = start; at < end; ) {
    const stop = Math.min(end, at + bytesPerReduction);
    for (; at < stop; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= modulus;
    b %= modulus;
  }
  return ((b << 16) | a) >>> 0;
}
