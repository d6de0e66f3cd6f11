import { deflateSync } from 'node:zlib';
import { describe, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { expectOutcome } from './outcome.ts';
import { concat } from './png-files.ts';
import { buildTiff, repeated } from './tiff-files.ts';

const grey = { 258: [8], 262: [1], 277: [1] };
const bilevel = { 258: [1], 262: [0], 277: [1] };
const size = (width: number, height: number) => ({ 256: [width], 257: [height] });
const tiles = (width: number, height: number) => ({ 322: [width], 323: [height] });
const deflate = { 259: [8] };
const jpeg = { 259: [7] };
const group3 = { 259: [3] };
const group4 = { 259: [4] };
const zstd = { 259: [50_000] };
const smallTile = deflateSync(new Uint8Array(256));

/** A frame of one segment with a window of 128 KiB, and these blocks. */
function zstdFrame(...blocks: Uint8Array[]): Uint8Array {
  return concat([Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3), ...blocks]);
}

/** @param type 0: raw, 1: one byte repeated, 2: compressed. */
function zstdBlock(type: number, blockSize: number, body: readonly number[], isLast = false): Uint8Array {
  const header = (blockSize << 3) | (type << 1) | (isLast ? 1 : 0);
  return Uint8Array.of(header & 255, (header >> 8) & 255, header >> 16, ...body);
}

describe('TIFF', () => {
  it.each<[string, ErrorCode | 'decoded' | readonly string[], () => Uint8Array]>([
    ['tiles of 0 x 0', 'image_malformed', () => buildTiff({ ...size(99, 99), ...grey, ...tiles(0, 0) }, [])],
    [
      'tiles of 2^31 x 2^31',
      'image_too_complex',
      () => buildTiff({ ...size(99, 99), ...grey, ...deflate, ...tiles(2 ** 31, 2 ** 31) }, [smallTile]),
    ],
    [
      'tiles that are much wider than the image',
      'image_too_complex',
      () => buildTiff({ ...size(1, 65_535), ...grey, ...deflate, ...tiles(65_536, 16) }, [smallTile]),
    ],
    [
      'tiles of 1 x 1',
      ['image_too_complex', 'image_malformed'],
      () => buildTiff({ ...size(8000, 8000), ...grey, ...deflate, ...tiles(1, 1) }, [smallTile]),
    ],
    [
      '32,400 tiles, all the same',
      'decoded',
      () => buildTiff({ ...size(2880, 2880), ...grey, ...deflate, ...tiles(16, 16) }, [smallTile], 32_400),
    ],
    [
      '250,000 tiles',
      'image_too_complex',
      () => buildTiff({ ...size(8000, 8000), ...grey, ...deflate, ...tiles(16, 16) }, [smallTile], 250_000),
    ],
    [
      'a row of tiles beyond all memory',
      'image_too_complex',
      () => buildTiff({ ...size(8000, 8000), ...grey, ...deflate, ...tiles(4000, 8000) }, [smallTile], 2),
    ],
    [
      'tiles that end early',
      'image_truncated',
      () => buildTiff({ ...size(64, 64), ...grey, ...deflate, ...tiles(32, 32) }, [smallTile], 4),
    ],
    [
      'strips that lie outside the file',
      'image_truncated',
      () => buildTiff({ ...size(99, 99), ...grey, 273: [2 ** 31], 279: [9] }, []),
    ],
    [
      'strips that overlap',
      'image_too_complex',
      () => buildTiff({ ...size(8, 60_000), ...bilevel, ...group3, 278: [1] }, [zeros(1 << 20)], 60_000),
    ],
    [
      'planes that are missing',
      'image_malformed',
      () =>
        buildTiff({ ...size(9, 9), 258: [8, 8, 8], 259: [8], 262: [2], 277: [3], 284: [2] }, [
          deflateSync(new Uint8Array(81)),
        ]),
    ],
    [
      'chroma subsampled by 0',
      'image_malformed',
      () =>
        buildTiff({ ...size(9, 9), 258: [8, 8, 8], 259: [8], 262: [6], 277: [3], 530: [0, 0] }, [smallTile]),
    ],
    [
      'a directory that is its own next one',
      'decoded',
      () => buildTiff({ ...size(9, 9), ...grey }, [new Uint8Array(81)], 1, 8),
    ],
    ['a BigTIFF of 2^63 entries', 'image_truncated', () => bigTiff(16n, 2n ** 63n)],
    ['a BigTIFF whose directory is beyond 2^53', 'image_truncated', () => bigTiff(2n ** 63n, 1n)],
    ['a BigTIFF whose directory is in its header', 'image_malformed', () => bigTiff(0n, 1n)],
  ])('%s', async (_, code, make) => {
    await expectOutcome(make(), code);
  });

  it.each<[string, ErrorCode | 'decoded' | readonly string[], () => Uint8Array]>([
    [
      'Group 4: no line ends',
      'image_malformed',
      // Horizontal mode, 0 white, 0 black: 001 00110101 0000110111.
      () => fax(group4, repeated(toBytes('001001101010000110111'.repeat(8)), 50_000), 1000),
    ],
    ['Group 4: all zeros', 'image_truncated', () => fax(group4, zeros(1 << 22), 1000)],
    ['Group 4: all lines as the one above', 'decoded', () => fax(group4, ones(1 << 22), 60_000)],
    ['Group 4: pass mode alone', 'decoded', () => fax(group4, repeated([0x11], 1 << 22), 1000)],
    [
      'Group 3: an end of line at the end',
      'decoded',
      () => fax(group3, concat([ones(1 << 22), zeros(2)]), 1000),
    ],
    ['Group 3: all zeros', 'decoded', () => fax(group3, zeros(1 << 22), 1000)],
    ['Group 3: ends of lines alone', 'decoded', () => fax(group3, repeated([0, 1], 1 << 21), 1000)],
    ['Huffman: all zeros', 'decoded', () => fax({ 259: [2] }, zeros(1 << 22), 1000)],
    ['Huffman: nothing', 'image_truncated', () => fax({ 259: [2] }, new Uint8Array(1), 1000)],
    [
      'a fax of 8 MB whose bits are reversed',
      'image_too_complex',
      () => fax({ ...group4, 266: [2] }, zeros(9 << 20), 1000),
    ],
  ])('a fax by %s', async (_, code, make) => {
    await expectOutcome(make(), code);
  });

  it.each<[string, ErrorCode | 'decoded' | readonly string[], () => Uint8Array]>([
    ['no stream', 'image_truncated', () => buildTiff({ ...size(64, 64), ...grey, ...jpeg }, [zeros(99)])],
    [
      'tables of a megabyte',
      'image_too_complex',
      () => buildTiff({ ...size(64, 64), ...grey, ...jpeg, 347: [...zeros(1 << 20)] }, [zeros(99)]),
    ],
    [
      'tables that lie',
      'image_malformed',
      () => buildTiff({ ...size(64, 64), ...grey, ...jpeg, 347: [0xff, 0xc4, 0, 4, 9, 9] }, [zeros(99)]),
    ],
    [
      'a stream that is larger than its tile',
      'image_malformed',
      () => buildTiff({ ...size(64, 64), ...grey, ...jpeg, ...tiles(64, 64) }, [jpegHeader(65_535, 65_535)]),
    ],
    [
      'a stream of other components',
      'image_malformed',
      () => buildTiff({ ...size(64, 64), ...jpeg, 258: [8, 8, 8], 262: [6], 277: [3] }, [jpegHeader(64, 64)]),
    ],
    [
      '62,500 tiles',
      'image_too_complex',
      () => buildTiff({ ...size(4000, 4000), ...grey, ...jpeg, ...tiles(16, 16) }, [zeros(9)], 62_500),
    ],
    [
      'the old style: a table outside the file',
      'image_truncated',
      () => oldJpeg({ 519: [2 ** 31], 520: [8], 521: [8] }),
    ],
    ['the old style: no tables', 'image_malformed', () => oldJpeg({})],
    [
      'the old style: a stream outside the file',
      'image_malformed',
      () => oldJpeg({ 513: [2 ** 31], 514: [9] }),
    ],
    [
      'the old style: strips that overlap',
      'image_too_complex',
      () => oldJpeg({ 519: [8], 520: [8], 521: [8], 278: [1] }, 60_000),
    ],
  ])('JPEG: %s', async (_, code, make) => {
    await expectOutcome(make(), code);
  });

  it.each<[string, ErrorCode | 'decoded' | readonly string[], () => Uint8Array]>([
    ['no frame', 'image_malformed', () => coded(zeros(99))],
    ['a window of 3.75 TB', 'image_too_complex', () => coded(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 255))],
    ['a dictionary', 'image_malformed', () => coded(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 7 << 3, 9))],
    [
      'a million blocks of nothing',
      'image_truncated',
      () => coded(zstdFrame(repeated(zstdBlock(1, 0, [0]), 1_000_000))),
    ],
    ['a block of 2 MB', 'image_malformed', () => coded(zstdFrame(zstdBlock(1, 2_097_151, [0])))],
    [
      'matches without end',
      'image_malformed',
      // One literal; 98,303 sequences, each of a literal length of 0, an offset of 1 and a match of 65,539 and more.
      () => coded(zstdFrame(zstdBlock(2, 100, [8, 7, 255, 255, 255, 0x54, 0, 0, 52, ...ones(91)]))),
    ],
    [
      'matches before the beginning',
      'image_malformed',
      () => coded(zstdFrame(zstdBlock(2, 10, [8, 7, 1, 0x54, 0, 9, 9, 255, 255, 255]))),
    ],
    ['a reserved block', 'image_malformed', () => coded(zstdFrame(zstdBlock(3, 1, [0])))],
    ['an empty block', 'image_malformed', () => coded(zstdFrame(zstdBlock(2, 0, [])))],
    ['half a block', 'image_truncated', () => coded(zstdFrame(zstdBlock(0, 9, [1])))],
  ])('Zstandard: %s', async (_, code, make) => {
    await expectOutcome(make(), code);
  });

  function coded(strip: Uint8Array): Uint8Array {
    return buildTiff({ ...size(3000, 3000), ...grey, ...zstd }, [strip]);
  }

  function fax(compression: Record<number, number[]>, strip: Uint8Array, height: number): Uint8Array {
    return buildTiff({ ...size(1000, height), ...bilevel, ...compression }, [strip]);
  }

  function oldJpeg(fields: Record<number, number[]>, count = 1): Uint8Array {
    return buildTiff({ ...size(64, 60_000), ...grey, 259: [6], ...fields }, [repeated([1], 1000)], count);
  }
});

function zeros(length: number): Uint8Array {
  return new Uint8Array(length);
}

function ones(length: number): Uint8Array {
  return new Uint8Array(length).fill(255);
}

function toBytes(bits: string): number[] {
  return bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
}

/** Up to the frame header, of one component. */
function jpegHeader(width: number, height: number): Uint8Array {
  const frame = [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0];
  return Uint8Array.of(0xff, 0xd8, 0xff, 0xc0, 0, frame.length + 2, ...frame);
}

function bigTiff(start: bigint, entries: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(200));
  view.setUint16(0, 0x4949);
  view.setUint16(2, 43, true);
  view.setUint16(4, 8, true);
  view.setBigUint64(8, start, true);
  view.setBigUint64(16, entries, true);
  return new Uint8Array(view.buffer);
}
