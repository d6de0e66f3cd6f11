/** Tables for taking 8 bytes at a time ("slicing by 8"): about 4 times as fast as byte by byte (measured). */
const slices = 8;
const tables = buildTables();

/**
 * Continues a CRC-32 over bytes [start, end). Begin with 0; parts of a message may follow one another.
 *
 * @see PNG third edition, annex D (sample CRC); M. Kounavis, F. Berry, "A systematic approach to building
 *   high performance software-based CRC generators", 2005
 */
export function crc32(bytes: Uint8Array, start: number, end: number, previous = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let crc = ~previous;
  let at = start;
  for (const last = end - slices; at <= last; at += slices) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc =
      t7[crc & 255] ^
      t6[(crc >>> 8) & 255] ^
      t5[(crc >>> 16) & 255] ^
      t4[crc >>> 24] ^
      t3[bytes[at + 4]] ^
      t2[bytes[at + 5]] ^
      t1[bytes[at + 6]] ^
      t0[bytes[at + 7]];
  }
  for (; at < end; at++) crc = t0[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function buildTables(): Int32Array[] {
  const built = Array.from({ length: slices }, () => new Int32Array(256));
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    built[0][n] = crc;
  }
  for (let slice = 1; slice < slices; slice++) {
    for (let n = 0; n < 256; n++) {
      const crc = built[slice - 1][n];
      built[slice][n] = built[0][crc & 255] ^ (crc >>> 8);
    }
  }
  return built;
}
