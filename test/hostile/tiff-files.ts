import { deflateSync } from 'node:zlib';
import { concat } from './png-files.ts';

/** A grey TIFF, Deflate, one row to a strip. @param areOwn false: all strips are the same bytes of the file. */
export function tiffOfStrips(row: Uint8Array, height: number, areOwn = false): Uint8Array {
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
    ...Array.from({ length: height }, (_, y) => uint32(areOwn ? data + y * strip.length : data)),
    repeated(uint32(strip.length), height),
    areOwn ? repeated(strip, height) : strip,
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

/**
 * A TIFF of fields by tag, all of longs, and of segments; those are one after the other in the file, and their places are
 * given `count` times by turns.
 *
 * @param next offset of the next directory.
 */
export function buildTiff(
  fields: Readonly<Record<number, readonly number[]>>,
  segments: readonly Uint8Array[],
  count = segments.length,
  next = 0,
): Uint8Array {
  const isTiled = 322 in fields;
  let length = 0;
  const places = segments.map((segment) => {
    length += segment.length;
    return 8 + length - segment.length;
  });
  const all = {
    [isTiled ? 324 : 273]: Array.from({ length: count }, (_, i) => places[i % places.length]),
    [isTiled ? 325 : 279]: Array.from({ length: count }, (_, i) => segments[i % segments.length]!.length),
    ...fields,
  };
  const arrays: Uint8Array[] = [];
  let at = 8 + length;
  const entries = Object.entries(all).map(([tag, values]) => {
    const isBytes = tag === '347';
    const entry = new DataView(new ArrayBuffer(12));
    entry.setUint16(0, Number(tag), true);
    entry.setUint16(2, isBytes ? 7 : 4, true);
    entry.setUint32(4, values.length, true);
    const data = isBytes ? Uint8Array.from(values) : new Uint8Array(Uint32Array.from(values).buffer);
    if (data.length <= 4) new Uint8Array(entry.buffer).set(data, 8);
    else {
      entry.setUint32(8, at, true);
      arrays.push(data);
      at += data.length;
    }
    return new Uint8Array(entry.buffer);
  });
  return concat([
    Uint8Array.of(0x49, 0x49, 42, 0),
    uint32(at),
    ...segments,
    ...arrays,
    Uint8Array.of(entries.length & 255, entries.length >> 8),
    ...entries,
    uint32(next),
  ]);
}
