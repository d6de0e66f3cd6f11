import { deflateSync } from 'node:zlib';
import { concat } from './png-files.ts';

/** A grey TIFF, Deflate, one row to a strip; all strips are the same bytes of the file. */
export function tiffOfStrips(row: Uint8Array, height: number): Uint8Array {
  const strip = deflateSync(row);
  const arrays = 8 + 2 + 9 * 12 + 4;
  const data = arrays + height * 8;
  const entry = (tag: number, count: number, value: number) =>
    concat([Uint8Array.of(tag & 255, tag >> 8, 4, 0), uint32(count), uint32(value)]);
  return concat([
    Uint8Array.of(0x49, 0x49, 42, 0),
    uint32(8),
    Uint8Array.of(9, 0),
    entry(256, 1, row.length),
    entry(257, 1, height),
    entry(258, 1, 8),
    entry(259, 1, 8),
    entry(262, 1, 1),
    entry(273, height, arrays),
    entry(277, 1, 1),
    entry(278, 1, 1),
    entry(279, height, arrays + height * 4),
    uint32(0),
    repeated(uint32(data), height),
    repeated(uint32(strip.length), height),
    strip,
  ]);
}

export function repeated(part: ArrayLike<number>, count: number): Uint8Array {
  const whole = new Uint8Array(part.length * count);
  for (let i = 0; i < count; i++) whole.set(part, i * part.length);
  return whole;
}

/** Little-endian. */
function uint32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
