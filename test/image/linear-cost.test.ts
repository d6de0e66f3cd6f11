import { zstdCompressSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { flatJpeg } from '../hostile/jpeg-files.ts';
import { concat, pngChunk, pngFile, smallRows, zeroBomb } from '../hostile/png-files.ts';
import { buildTiff } from '../hostile/tiff-files.ts';
import { defaultSpec, loadWebpModule, readFixture } from './fixtures.ts';

/**
 * Cost grows at most in proportion to pixels and bytes. Four times the input may take four times as long;
 * a quadratic step would take sixteen times. The bound lies between, for clocks are noisy.
 */
const growth = 4;
const maxRatio = 9;

/** CPU time in ms. */
async function cost(bytes: Uint8Array): Promise<number> {
  const started = process.cpuUsage();
  await decodeToCrop(bytes, defaultSpec, { loadWebpModule });
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

/** The ratio of the least costs of some attempts: noise only adds. One attempt is enough if it is within the bound. */
async function ratio(small: Uint8Array, large: Uint8Array): Promise<number> {
  const least = { small: Number.POSITIVE_INFINITY, large: Number.POSITIVE_INFINITY };
  await cost(small); // Compiles what it needs.
  for (let attempt = 0; attempt < 5; attempt++) {
    // A small input is quick to ask twice.
    least.small = Math.min(least.small, await cost(small), await cost(small));
    least.large = Math.min(least.large, await cost(large));
    if (least.large / least.small < maxRatio) break;
  }
  return least.large / least.small;
}

describe('cost is linear', { timeout: 120_000 }, () => {
  it.each<[string, (scale: number) => Uint8Array | Promise<Uint8Array>]>([
    [
      'in the pixels of a baseline JPEG',
      (scale) => flatJpeg({ width: 2000, height: 1000 * scale, sampling: [0x22, 0x11, 0x11] }),
    ],
    [
      'in the width of a baseline JPEG',
      (scale) => flatJpeg({ width: 2000 * scale, height: 1000, sampling: [0x22, 0x11, 0x11] }),
    ],
    [
      'in the rows below the crop of a JPEG without EOI',
      (scale) => flatJpeg({ width: 240, height: 16_000 * scale }).subarray(0, -2),
    ],
    [
      'in the pixels of a progressive JPEG',
      (scale) => flatJpeg({ code: 0xc2, width: 2000, height: 1000 * scale }),
    ],
    [
      'in the pixels of a PNG',
      (scale) => pngFile({ width: 2000, height: 1000 * scale, data: zeroBomb(6 * scale) }),
    ],
    [
      'in the width of a PNG',
      (scale) => pngFile({ width: 2000 * scale, height: 1000, data: zeroBomb(6 * scale) }),
    ],
    [
      'in the pixels of an interlaced PNG',
      (scale) => pngFile({ width: 1000, height: 1000 * scale, interlace: 1, data: zeroBomb(4 * scale) }),
    ],
    [
      'in the chunks of a PNG',
      (scale) =>
        pngFile({ width: 10, height: 10, data: smallRows(10, 10), before: [manyChunks(200_000 * scale)] }),
    ],
    [
      'in the markers of a JPEG',
      (scale) =>
        concat([
          Uint8Array.of(0xff, 0xd8),
          comments(400_000 * scale),
          flatJpeg({ width: 16, height: 16 }).subarray(2),
        ]),
    ],
    [
      'in the pixels of a GIF',
      (scale) =>
        noise(1000, 500 * scale)
          .gif({ effort: 1 })
          .toBuffer(),
    ],
    [
      'in the width of a GIF',
      (scale) =>
        noise(500 * scale, 1000)
          .gif({ effort: 1 })
          .toBuffer(),
    ],
    ['in the blocks before the image of a GIF', (scale) => gifOfExtensions(1_000_000 * scale)],
    ['in the pixels of a BMP', (scale) => bmp(2000, 1500 * scale, 24)],
    ['in the width of a BMP', (scale) => bmp(2000 * scale, 1500, 24)],
    ['in the pixels of a run-length coded BMP', (scale) => bmp(2000, 1500 * scale, 8)],
    ['in the pixels of a TIFF without compression', (scale) => tiff(2000, 1500 * scale, 'none')],
    ['in the pixels of a TIFF by LZW', (scale) => tiff(1000, 500 * scale, 'lzw')],
    ['in the width of a TIFF by LZW', (scale) => tiff(500 * scale, 1000, 'lzw')],
    ['in the pixels of a TIFF by Deflate', (scale) => tiff(1000, 1000 * scale, 'deflate')],
    ['in the pixels of a TIFF of tiles', (scale) => tiff(1000, 1000 * scale, 'deflate', true)],
    ['in the width of a TIFF of tiles', (scale) => tiff(1000 * scale, 1000, 'deflate', true)],
    ['in the pixels of a TIFF of tiles by JPEG', (scale) => tiff(1000, 1000 * scale, 'jpeg', true)],
    ['in the pixels of a TIFF of strips by JPEG', (scale) => tiff(1000, 1000 * scale, 'jpeg')],
    ['in the pixels of a TIFF by Group 4', (scale) => fax(1000, 1000 * scale)],
    ['in the width of a TIFF by Group 4', (scale) => fax(1000 * scale, 1000)],
    ['in the pixels of a TIFF by Zstandard', (scale) => zstdTiff(1000, 1000 * scale)],
    ['in the pixels of a TIFF by PackBits', (scale) => tiff(1000, 1000 * scale, 'packbits')],
    [
      'in the pixels of a WebP',
      (scale) =>
        noise(1000, 400 * scale)
          .webp({ effort: 0 })
          .toBuffer(),
    ],
    [
      'in the width of a WebP',
      (scale) =>
        noise(1000 * scale, 400)
          .webp({ effort: 0 })
          .toBuffer(),
    ],
    [
      'in the pixels of a lossless WebP',
      (scale) =>
        noise(1000, 400 * scale)
          .webp({ lossless: true, effort: 0 })
          .toBuffer(),
    ],
    ['in the chunks of a WebP', (scale) => webpOfChunks(500_000 * scale)],
  ])('%s', async (_, make) => {
    expect(await ratio(await make(1), await make(growth))).toBeLessThan(maxRatio);
  });
});

function noise(width: number, height: number): Sharp {
  const gaussian = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { width, height, channels: 3, background: 'grey', noise: gaussian } });
}

/** Rows in strips of about 8 KB, as encoders write them. */
function tiff(
  width: number,
  height: number,
  compression: 'none' | 'lzw' | 'deflate' | 'packbits' | 'jpeg',
  tile = false,
) {
  const tiles = { tile, tileWidth: 256, tileHeight: 256 };
  return noise(width, height)
    .tiff({ compression, predictor: 'none', ...tiles })
    .toBuffer();
}

function fax(width: number, height: number): Promise<Uint8Array> {
  return noise(width, height)
    .threshold(128)
    .toColourspace('b-w')
    .tiff({ compression: 'ccittfax4', bitdepth: 1 })
    .toBuffer();
}

/** One strip of grey. */
function zstdTiff(width: number, height: number): Uint8Array {
  const pixels = Uint8Array.from({ length: width * height }, (_, i) => (i * i) >> 9);
  const fields = { 256: [width], 257: [height], 258: [8], 259: [50_000], 262: [1], 277: [1] };
  return buildTiff(fields, [zstdCompressSync(pixels)]);
}

/** With 24 bits zeros, with 8 bits runs of one pixel. */
function bmp(width: number, height: number, bits: 8 | 24): Uint8Array {
  const pixels =
    bits === 24 ? new Uint8Array(height * Math.ceil((width * 3) / 4) * 4) : oneByOne(width, height);
  const header = new DataView(new ArrayBuffer(54));
  header.setUint16(0, 0x424d);
  header.setUint32(10, 54, true);
  header.setUint32(14, 40, true);
  header.setInt32(18, width, true);
  header.setInt32(22, height, true);
  header.setUint16(28, bits, true);
  header.setUint32(30, bits === 8 ? 1 : 0, true);
  return concat([new Uint8Array(header.buffer), pixels]);
}

function oneByOne(width: number, height: number): Uint8Array {
  const rows = new Uint8Array((width * 2 + 2) * height);
  for (let i = 0; i < rows.length; i += 2) rows[i] = i % (width * 2 + 2) === width * 2 ? 0 : 1;
  return rows;
}

function gifOfExtensions(count: number): Uint8Array {
  const gif = readFixture('gif-plain.gif');
  const start = 13 + 3 * (2 << (gif[10]! & 7));
  const extensions = Uint8Array.from({ length: count * 3 }, (_, i) => [0x21, 0xfe, 0][i % 3]!);
  return concat([gif.subarray(0, start), extensions, gif.subarray(start)]);
}

function webpOfChunks(count: number): Uint8Array {
  const webp = readFixture('webp-lossy.webp');
  const chunks = Uint8Array.from(
    { length: count * 8 },
    (_, i) => [0x61, 0x62, 0x63, 0x64, 0, 0, 0, 0][i % 8]!,
  );
  const file = concat([webp, chunks]);
  new DataView(file.buffer).setUint32(4, file.length - 8, true);
  return file;
}

function manyChunks(count: number): Uint8Array {
  const chunk = pngChunk('teXt', new Uint8Array(0));
  const chunks = new Uint8Array(count * chunk.length);
  for (let i = 0; i < count; i++) chunks.set(chunk, i * chunk.length);
  return chunks;
}

function comments(count: number): Uint8Array {
  return Uint8Array.from({ length: count * 4 }, (_, i) => [0xff, 0xfe, 0, 2][i & 3]!);
}
