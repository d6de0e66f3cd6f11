import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** One chunk with its length and CRC. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const body = concat([new TextEncoder().encode(type), data]);
  return concat([uint32(data.length), body, uint32(crc32(body))]);
}

export interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly bitDepth?: number;
  readonly colourType?: number;
  readonly interlace?: number;
  /** Chunks between IHDR and IDAT. */
  readonly before?: readonly Uint8Array[];
  /** A zlib stream. */
  readonly data: Uint8Array;
}

export function pngFile({
  width,
  height,
  bitDepth = 8,
  colourType = 2,
  interlace = 0,
  before = [],
  data,
}: PngParts) {
  const header = concat([
    uint32(width),
    uint32(height),
    Uint8Array.of(bitDepth, colourType, 0, 0, interlace),
  ]);
  return concat([
    signature,
    pngChunk('IHDR', header),
    ...before,
    pngChunk('IDAT', data),
    pngChunk('IEND', new Uint8Array(0)),
  ]);
}

/** A zlib stream of zeros, 1000 times smaller than what it inflates to, made without inflating it. */
export function zeroBomb(megabytes: number): Uint8Array {
  const megabyte = deflateRawSync(Buffer.alloc(1 << 20), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const endOfStream = Uint8Array.of(3, 0);
  const checksum = Uint8Array.of(0, 0, 0, 1);
  return concat([
    Uint8Array.of(0x78, 0xda),
    ...Array<Uint8Array>(megabytes).fill(megabyte),
    endOfStream,
    checksum,
  ]);
}

/** The rows of a small RGB image, compressed. */
export function smallRows(width: number, height: number): Uint8Array {
  return deflateSync(
    Buffer.alloc((width * 3 + 1) * height, 7).map((value, i) => (i % (width * 3 + 1) === 0 ? 0 : value)),
  );
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** Rows of RGB in which one byte of 60 is not zero: what deflates well, but not to nothing. */
export function speckledRows(width: number, height: number): Uint8Array {
  const rowBytes = width * 3 + 1;
  const rows = new Uint8Array(rowBytes * height);
  for (let i = 0; i < rows.length; i += 60) rows[i] = i % rowBytes === 0 ? 0 : (i * 2_654_435_761) >>> 24;
  return rows;
}

/** A zlib stream of so many blocks of fixed codes, 10 bits each: their end and nothing else. */
export function emptyBlocks(count: number): Uint8Array {
  const stream = new Uint8Array(2 + Math.ceil((count * 10) / 8));
  stream.set([0x78, 0x9c]);
  for (let block = 0; block < count; block++) {
    const bit = block * 10 + 1;
    stream[2 + (bit >> 3)]! |= 1 << (bit & 7);
  }
  return stream;
}
