// `!` behind an index: the loops and the checked sizes keep it in range.

/** Tables for taking 16 bytes at a time ("slicing"): each is what a byte adds that stands so far from the end. */
export const slices = 16;
const tableEntries = 256;
export const bytesPerTable = tableEntries * Int32Array.BYTES_PER_ELEMENT;

/** One after the other, `bytesPerTable` each. */
export const crcTables = buildTables();
const tableOf = (slice: number) => crcTables.subarray(slice * tableEntries, (slice + 1) * tableEntries);
const [t0, t1, t2, t3] = [tableOf(0), tableOf(1), tableOf(2), tableOf(3)];
const [t4, t5, t6, t7] = [tableOf(4), tableOf(5), tableOf(6), tableOf(7)];

/**
 * Continues a CRC-32 over bytes [start, end). Begin with 0; parts of a message may follow one another.
 *
 * @see PNG third edition, annex D (sample CRC); M. Kounavis, F. Berry, "A systematic approach to building
 *   high performance software-based CRC generators", 2005
 */
export function crc32(bytes: Uint8Array, start: number, end: number, previous = 0): number {
  let crc = ~previous;
  let at = start;
  // Eight at a time: sixteen are no faster in JavaScript.
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t7[crc & 255]! ^
      t6[(crc >>> 8) & 255]! ^
      t5[(crc >>> 16) & 255]! ^
      t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = t0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function buildTables(): Int32Array {
  const built = new Int32Array(slices * tableEntries);
  for (let n = 0; n < tableEntries; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    built[n] = crc;
  }
  for (let i = tableEntries; i < built.length; i++) {
    const crc = built[i - tableEntries]!;
    built[i] = built[crc & 255]! ^ (crc >>> 8);
  }
  return built;
}
