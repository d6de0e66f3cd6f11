import { deflateSync } from 'node:zlib';
import { describe, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { readFixture } from '../image/fixtures.ts';
import { expectOutcome } from './outcome.ts';
import { concat, pngChunk, pngFile, smallRows, speckledRows } from './png-files.ts';
import { repeated, tiffOfStrips } from './tiff-files.ts';

/**
 * Parts of a file that are legal once, half a million times and more: nothing may be kept of each, and none may have
 * a price.
 */
describe('lists without end', () => {
  const jpeg = readFixture('baseline-2x2.jpg');
  /** A frame header of three components has 19 bytes. */
  const behindFrame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0) + 19;
  const gif = readFixture('gif-plain.gif');
  const gifColours = 13 + 3 * (2 << (gif[10]! & 7));
  const webp = readFixture('webp-lossy.webp');

  it.each<[string, ErrorCode | 'decoded' | readonly string[], () => Uint8Array]>([
    // A list of those took 90 MB of heap.
    ['PNG: empty IDAT', 'decoded', () => smallPng(repeated(pngChunk('IDAT', new Uint8Array(0)), 1_000_000))],
    // Handed over one by one, each took 13 microseconds.
    ['PNG: IDAT of one byte', 'decoded', () => inChunksOfOneByte(1500)],
    ['PNG: eXIf', 'decoded', () => smallPng(repeated(pngChunk('eXIf', new Uint8Array(0)), 1_000_000))],
    ['PNG: PLTE', 'decoded', () => smallPng(repeated(pngChunk('PLTE', new Uint8Array(3)), 1_000_000))],
    ['JPEG: Exif', 'decoded', () => jpegWith(segment(0xe1, 'Exif\0\0'))],
    ['JPEG: XMP', 'decoded', () => jpegWith(segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0'))],
    ['JPEG: Exif of one byte', 'decoded', () => jpegWith(segment(0xe1, 'Exif\0\0I'))],
    [
      'JPEG: Exif behind the frame header',
      'decoded',
      () => jpegWith(segment(0xe1, 'Exif\0\0I'), behindFrame),
    ],
    [
      'JPEG: XMP behind the frame header',
      'decoded',
      () => jpegWith(segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0tiff:Orientation'), behindFrame),
    ],
    ['JPEG: segments of length 0', 'decoded', () => jpegWith(Uint8Array.of(0xff, 0xec, 0, 0), behindFrame)],
    ['JPEG: restart intervals', 'decoded', () => jpegWith(segment(0xdd, '\0\0'))],
    ['JPEG: quantization tables', 'decoded', () => jpegWith(segment(0xdb, `\0${'\x01'.repeat(64)}`))],
    ['GIF: extensions', 'decoded', () => gifWith([0x21, 0xf9, 4, 0, 0, 0, 0, 0])],
    ['GIF: bytes between blocks', 'decoded', () => gifWith([0x77])],
    [
      'GIF: blocks of one byte',
      ['image_malformed', 'image_truncated'],
      () => concat([gif.subarray(0, gifColours + 19), repeated([1, 0xff], 4_000_000)]),
    ],
    ['WebP: unknown chunks', 'decoded', () => riff([vp8x(0), emptyChunks('abcd'), webp.subarray(12)])],
    ['WebP: XMP', 'decoded', () => riff([vp8x(4), webp.subarray(12), emptyChunks('XMP ')])],
    [
      'WebP: an XMP packet of 4 MB',
      'decoded',
      () => riff([vp8x(4), webp.subarray(12), ascii('XMP '), uint32(1 << 22), new Uint8Array(1 << 22)]),
    ],
    ['WebP: frames', ['image_malformed', 'image_truncated'], () => riff([vp8x(2), emptyChunks('ANMF')])],
    ['TIFF: strips of one row, all the same', 'decoded', () => tiffOfStrips(Uint8Array.of(77), 60_000)],
  ])('%s', async (_, code, make) => {
    await expectOutcome(make(), code);
  });

  function smallPng(before: Uint8Array): Uint8Array {
    return pngFile({ width: 10, height: 10, data: smallRows(10, 10), before: [before] });
  }

  function inChunksOfOneByte(side: number): Uint8Array {
    const data = deflateSync(speckledRows(side, side), { level: 9 });
    const png = pngFile({ width: side, height: side, data });
    const chunks = Array.from(data, (byte) => pngChunk('IDAT', Uint8Array.of(byte)));
    return concat([png.subarray(0, 33), ...chunks, png.subarray(-12)]);
  }

  function jpegWith(part: Uint8Array, at = 2): Uint8Array {
    const count = Math.floor((8 << 20) / part.length);
    return concat([jpeg.subarray(0, at), repeated(part, count), jpeg.subarray(at)]);
  }

  function gifWith(block: number[]): Uint8Array {
    return concat([gif.subarray(0, gifColours), repeated(block, 1_000_000), gif.subarray(gifColours)]);
  }

  /** The extended header of `webp`: 240 x 160. */
  function vp8x(flags: number): Uint8Array {
    return concat([ascii('VP8X'), uint32(10), uint32(flags), Uint8Array.of(239, 0, 0, 159, 0, 0)]);
  }
});

function segment(code: number, payload: string): Uint8Array {
  return concat([Uint8Array.of(0xff, code, 0, payload.length + 2), ascii(payload)]);
}

function emptyChunks(type: string): Uint8Array {
  return repeated([...ascii(type), 0, 0, 0, 0], 1_000_000);
}

function riff(chunks: readonly Uint8Array[]): Uint8Array {
  const body = concat(chunks);
  return concat([ascii('RIFF'), uint32(body.length + 4), ascii('WEBP'), body]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function uint32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
