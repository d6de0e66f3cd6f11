import { describe, expect, it } from 'vitest';
import {
  parseExifOrientation,
  parseXmpOrientation,
  toOrientation,
} from '../../src/image/exif-orientation.ts';

interface Entry {
  readonly tag?: number;
  readonly type: number;
  readonly count?: number;
  /** The four bytes of the value, or where it stands. */
  readonly value: (view: DataView, at: number, littleEndian: boolean) => void;
}

interface Structure {
  readonly littleEndian?: boolean;
  readonly mark?: string;
  readonly directory?: number;
  /** Entries that the directory says it has. */
  readonly declared?: number;
  /** Bytes behind the directory. */
  readonly more?: number;
}

/** A TIFF structure of one directory. @see TIFF 6.0 section 2 */
function tiff(entries: readonly Entry[], structure: Structure = {}): Uint8Array {
  const { littleEndian = true, directory = 8, declared = entries.length, more = 0 } = structure;
  const mark = structure.mark ?? (littleEndian ? 'II*\0' : 'MM\0*');
  const bytes = new Uint8Array(directory + 2 + entries.length * 12 + more);
  bytes.set(Buffer.from(mark, 'latin1'));
  const view = new DataView(bytes.buffer);
  view.setUint32(4, directory, littleEndian);
  view.setUint16(directory, declared, littleEndian);
  for (const [index, { tag = 0x0112, type, count = 1, value }] of entries.entries()) {
    const at = directory + 2 + index * 12;
    view.setUint16(at, tag, littleEndian);
    view.setUint16(at + 2, type, littleEndian);
    view.setUint32(at + 4, count, littleEndian);
    value(view, at + 8, littleEndian);
  }
  return bytes;
}
const short = (value: number): Entry => ({
  type: 3,
  value: (view, at, littleEndian) => view.setUint16(at, value, littleEndian),
});
const pointer = (tag: number, type: number, count: number, at: number): Entry => ({
  tag,
  type,
  count,
  value: (view, place, littleEndian) => view.setUint32(place, at, littleEndian),
});

describe('the orientation in Exif', () => {
  it.each([true, false])('is a SHORT from 1 to 8, little-endian: %s', (littleEndian) => {
    for (let value = 1; value <= 8; value++)
      expect(parseExifOrientation(tiff([short(value)], { littleEndian }))).toBe(value);
    for (const value of [0, 9, 256, 65_535])
      expect(parseExifOrientation(tiff([short(value)], { littleEndian }))).toBe(1);
  });

  it.each<[number, Entry['value'], number]>([
    [4, (view, at, littleEndian) => view.setUint32(at, 6, littleEndian), 6],
    [13, (view, at, littleEndian) => view.setUint32(at, 6, littleEndian), 6],
    [6, (view, at) => view.setInt8(at, 6), 6],
    [6, (view, at) => view.setInt8(at, -6), 1],
    [8, (view, at, littleEndian) => view.setInt16(at, 6, littleEndian), 6],
    [8, (view, at, littleEndian) => view.setInt16(at, -6, littleEndian), 1],
    [9, (view, at, littleEndian) => view.setInt32(at, 6, littleEndian), 6],
    [9, (view, at, littleEndian) => view.setInt32(at, -6, littleEndian), 1],
    // Strings of bytes and fractions are no integers.
    [1, (view, at) => view.setUint8(at, 6), 1],
    [2, (view, at) => view.setUint8(at, 6), 1],
    [7, (view, at) => view.setUint8(at, 6), 1],
    [11, (view, at, littleEndian) => view.setFloat32(at, 6, littleEndian), 1],
  ])('may have another type: %i', (type, value, expected) => {
    for (const littleEndian of [true, false])
      expect(parseExifOrientation(tiff([{ type, value }], { littleEndian }))).toBe(expected);
  });

  it('is the first value where there are several, in the entry or elsewhere', () => {
    const two: Entry = {
      type: 3,
      count: 2,
      value: (view, at, littleEndian) => {
        view.setUint16(at, 3, littleEndian);
        view.setUint16(at + 2, 5, littleEndian);
      },
    };
    expect(parseExifOrientation(tiff([two]))).toBe(3);
    const bytes = tiff([pointer(0x0112, 3, 3, 22)], { more: 6 });
    new DataView(bytes.buffer).setUint16(22, 7, true);
    expect(parseExifOrientation(bytes)).toBe(7);
  });

  it('stands among other entries, wherever the directory is', () => {
    const other = pointer(0x010f, 2, 4, 0x41414141);
    expect(parseExifOrientation(tiff([other, other, short(8), short(2)], { directory: 40 }))).toBe(8);
    expect(parseExifOrientation(tiff([other]))).toBeUndefined();
    expect(parseExifOrientation(tiff([]))).toBeUndefined();
  });

  it('is found behind "Exif\\0\\0", once or twice', () => {
    const prefix = [...Buffer.from('Exif\0\0', 'latin1')];
    const structure = [...tiff([short(6)])];
    expect(parseExifOrientation(Uint8Array.from([...prefix, ...structure]))).toBe(6);
    expect(parseExifOrientation(Uint8Array.from([...prefix, ...prefix, ...structure]))).toBe(6);
    const thrice = [...prefix, ...prefix, ...prefix, ...structure];
    expect(parseExifOrientation(Uint8Array.from(thrice))).toBe(1);
    expect(parseExifOrientation(Uint8Array.from(prefix))).toBeUndefined();
    for (let index = 0; index < 6; index++) {
      const damaged = Uint8Array.from([...prefix, ...structure]);
      damaged[index]! ^= 1;
      expect(parseExifOrientation(damaged)).toBe(1);
    }
  });

  it.each([
    ['II*\0', true],
    ['MM\0*', false],
    ['II\0*', true],
    ['MM*\0', false],
  ])('is read after the mark %j, whose number some writers turn round', (mark, littleEndian) => {
    expect(parseExifOrientation(tiff([short(5)], { mark, littleEndian }))).toBe(5);
  });

  it.each(['IM*\0', 'II*\x01', 'XX*\0', 'II+\0'])('is 1 behind another mark: %j', (mark) => {
    expect(parseExifOrientation(tiff([short(5)], { mark }))).toBe(1);
  });

  it('is 1 where the header is cut, and unknown where there is none, or no directory', () => {
    const whole = tiff([short(6)]);
    expect(parseExifOrientation(whole.subarray(0, 0))).toBeUndefined();
    expect(parseExifOrientation(whole.subarray(0, 7))).toBe(1);
    expect(parseExifOrientation(whole.subarray(0, 9))).toBeUndefined();
    expect(parseExifOrientation(whole.subarray(0, 10))).toBeUndefined();
    expect(parseExifOrientation(whole.subarray(0, whole.length - 1))).toBeUndefined();
    expect(parseExifOrientation(whole)).toBe(6);
    expect(parseExifOrientation(tiff([short(6)], { declared: 65_535 }))).toBe(6);
    const empty = tiff([]);
    new DataView(empty.buffer).setUint32(4, 0xffffffff, true);
    expect(parseExifOrientation(empty)).toBeUndefined();
  });

  it('passes over entries of no length, and over what points to more than there is', () => {
    const length = 2 + 8 + 2 * 12;
    for (const [type, count] of [
      [0, 1],
      [14, 1],
      [65_535, 1],
      [3, 0],
    ] as const)
      expect(parseExifOrientation(tiff([pointer(0x0112, type, count, 0), short(6)]))).toBe(6);
    expect(parseExifOrientation(tiff([pointer(0x010f, 2, length + 1, 0), short(6)]))).toBe(6);
    // As much as there is, in its place, is read, and what follows it too.
    expect(parseExifOrientation(tiff([pointer(0x010f, 2, length, 0), short(6)]))).toBe(6);
    // Together they are longer than the structure: the second is passed over, though it is cut off.
    const half = pointer(0x010f, 2, 20, 0);
    expect(parseExifOrientation(tiff([half, pointer(0x0110, 2, 40, 30), short(6)]))).toBe(6);
  });

  it('ends at a value that is cut off', () => {
    const length = 2 + 8 + 2 * 12;
    const ends = (at: number) => parseExifOrientation(tiff([pointer(0x010f, 2, 10, at), short(6)]));
    expect(ends(length - 10)).toBe(6);
    expect(ends(length - 9)).toBeUndefined();
    // A value of four bytes is in the entry itself.
    expect(parseExifOrientation(tiff([pointer(0x010f, 2, 4, 0xffffffff), short(6)]))).toBe(6);
    expect(parseExifOrientation(tiff([pointer(0x010f, 2, 5, 0xffffffff), short(6)]))).toBeUndefined();
  });

  it.each([1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4].map((bytes, index) => [index + 1, bytes] as const))(
    'knows that a value of type %i has %i bytes',
    (type, bytes) => {
      const length = 2 + 8 + 2 * 12 + 40;
      const ends = (at: number) =>
        parseExifOrientation(tiff([pointer(0x010f, type, 5, at), short(6)], { more: 40 }));
      expect(ends(length - 5 * bytes)).toBe(6);
      expect(ends(length - 5 * bytes + 1)).toBeUndefined();
    },
  );
});

describe('the orientation in XMP', () => {
  const parse = (text: string) => parseXmpOrientation(new TextEncoder().encode(text));

  it.each([
    ['<rdf:Description tiff:Orientation="6"/>', 6],
    ['<tiff:Orientation>3</tiff:Orientation>', 3],
    ['tiff:Orientation="9"', 1],
    ['tiff:Orientation="0"', 1],
    ['tttiff:Orientation="6"', 6],
    ['tiff:Orientation="8', 8],
    ['tiff:Orientation is tiff:Orientation="7"', 7],
    ['tiff:Orientation="6" tiff:Orientation="7"', 6],
    ['tiff:Orientation="x"', undefined],
    ['tiff:Orientation= "6"', undefined],
    ["tiff:Orientation='6'", undefined],
    ['tiff:Orientatio="6"', undefined],
    ['tiff:orientation="6"', undefined],
    ['tiff:Orientation', undefined],
    ['tiff:Orientation -="6"', undefined],
    ['', undefined],
  ])('%s is %s', (text, expected) => {
    expect(parse(text)).toBe(expected);
  });
});

it('toOrientation leaves the image as it is where a value means nothing', () => {
  expect([-1, 0, 1, 2, 7, 8, 9].map(toOrientation)).toEqual([1, 1, 1, 2, 7, 8, 1]);
});
