import { assertPlain } from '../../isobmff/read-items.ts';

/** What the sequence header of an AV1 picture of 4:2:0 and 8 bits says. */
export interface SequenceHeader {
  /** Of the largest frame. */
  readonly width: number;
  readonly height: number;
  readonly isFullRange: boolean;
  /** Colour primaries and matrix coefficients. @see ITU-T H.273, tables 2 and 4 */
  readonly primaries: number;
  readonly matrix: number;
  readonly hasFilmGrain: boolean;
}

/** Types of OBUs. @see AV1 section 6.2.2 */
const obuTypes = { sequenceHeader: 1, temporalDelimiter: 2, frameHeader: 3, frame: 6 } as const;
/** And those that stand beside: tile group, metadata, redundant frame header, padding. */
const otherTypes: readonly number[] = [4, 5, 7, 15];
/** A unit of tiny ones would take long to walk, and those of a grid may all be the same. */
const maxObus = 256;
const unspecified = 2;
const identity = 0;

/**
 * Reads a picture that is a single frame behind a single sequence header, of 4:2:0 and 8 bits, without layers or
 * operating points.
 *
 * @param unit the OBUs of an AVIF's item: one temporal unit.
 * @throws {RangeError} of any other picture.
 * @see AV1 sections 5.3 (OBUs) and 5.5 (sequence header)
 */
export function readSequenceHeader(unit: Uint8Array): SequenceHeader {
  let header: SequenceHeader | undefined;
  let frames = 0;
  let obus = 0;
  for (let at = 0; at < unit.length; ) {
    const { type, start, end } = readObu(unit, at);
    assertPlain(++obus <= maxObus);
    if (type === obuTypes.sequenceHeader) {
      assertPlain(header === undefined && frames === 0);
      header = parseSequenceHeader(new BitReader(unit.subarray(start, end)));
    } else if (type === obuTypes.frame || type === obuTypes.frameHeader) {
      // Each frame costs the work of a whole picture, and may take a few bytes.
      assertPlain(header !== undefined && ++frames === 1);
    } else {
      assertPlain(type === obuTypes.temporalDelimiter ? at === 0 : otherTypes.includes(type));
    }
    at = end;
  }
  assertPlain(header !== undefined && frames === 1);
  return header;
}

function readObu(unit: Uint8Array, at: number): { type: number; start: number; end: number } {
  const head = unit[at]!;
  // Without an extension, with a size; the other bits are 0.
  assertPlain((head & 0b1000_0111) === 0b10);
  let size = 0;
  let start = at + 1;
  for (let shift = 0; ; shift += 7) {
    const byte = unit[start++];
    assertPlain(byte !== undefined && shift < 28);
    size |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  assertPlain(start + size <= unit.length);
  return { type: head >> 3, start, end: start + size };
}

function parseSequenceHeader(bits: BitReader): SequenceHeader {
  // Only profile 0 is of 4:2:0.
  assertPlain(bits.read(3) === 0);
  bits.read(1);
  const isReduced = bits.read(1) === 1;
  if (isReduced) bits.read(5);
  else readOperatingPoint(bits);
  const [widthBits, heightBits] = [bits.read(4) + 1, bits.read(4) + 1];
  const [width, height] = [bits.read(widthBits) + 1, bits.read(heightBits) + 1];
  if (!isReduced && bits.read(1) === 1) bits.read(7);
  bits.read(3);
  if (!isReduced) skipInterTools(bits);
  bits.read(3);
  return { width, height, ...readColours(bits), hasFilmGrain: bits.read(1) === 1 };
}

/** The only one, without timing. */
function readOperatingPoint(bits: BitReader): void {
  const hasTiming = bits.read(1);
  const hasDelay = bits.read(1) === 1;
  const [points, layers] = [bits.read(5), bits.read(12)];
  assertPlain(hasTiming === 0 && points === 0 && layers === 0);
  if (bits.read(5) > 7) bits.read(1);
  if (hasDelay && bits.read(1) === 1) bits.read(4);
}

/** From `enable_interintra_compound` to `order_hint_bits_minus_1`. */
function skipInterTools(bits: BitReader): void {
  bits.read(4);
  const hasOrder = bits.read(1) === 1;
  if (hasOrder) bits.read(2);
  const screenContent = bits.read(1) === 1 || bits.read(1) === 1;
  if (screenContent && bits.read(1) === 0) bits.read(1);
  if (hasOrder) bits.read(3);
}

function readColours(bits: BitReader): Pick<SequenceHeader, 'isFullRange' | 'primaries' | 'matrix'> {
  const [isDeep, isGrey] = [bits.read(1), bits.read(1)];
  assertPlain(isDeep === 0 && isGrey === 0);
  const isDescribed = bits.read(1) === 1;
  const primaries = isDescribed ? bits.read(8) : unspecified;
  if (isDescribed) bits.read(8);
  const matrix = isDescribed ? bits.read(8) : unspecified;
  // Of 4:2:0 there is none; sRGB has no bit of range.
  assertPlain(matrix !== identity);
  const isFullRange = bits.read(1) === 1;
  bits.read(3);
  return { isFullRange, primaries, matrix };
}

/** Bits from the highest one of each byte on. */
class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws {RangeError} beyond the end. */
  read(count: number): number {
    assertPlain(this.#position + count <= this.#bytes.length * 8);
    let value = 0;
    for (let i = 0; i < count; i++, this.#position++) {
      value = (value << 1) | ((this.#bytes[this.#position >> 3]! >> (7 - (this.#position & 7))) & 1);
    }
    return value;
  }
}
