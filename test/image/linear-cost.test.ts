import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/preprocess/image-to-crop.ts';
import { flatJpeg } from '../hostile/jpeg-files.ts';
import { concat, pngChunk, pngFile, smallRows, zeroBomb } from '../hostile/png-files.ts';
import { defaultSpec } from './fixtures.ts';

/**
 * Cost grows at most in proportion to pixels and bytes. Four times the input may take four times as long;
 * a quadratic step would take sixteen times. The bound lies between, for clocks are noisy.
 */
const growth = 4;
const maxRatio = 9;

/** CPU time in ms, the least of some attempts: noise only adds. */
async function cost(bytes: Uint8Array): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 5; attempt++) {
    const started = process.cpuUsage();
    await decodeToCrop(bytes, defaultSpec);
    const { user, system } = process.cpuUsage(started);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

describe('cost is linear', { timeout: 120_000 }, () => {
  it.each<[string, (scale: number) => Uint8Array]>([
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
  ])('%s', async (_, make) => {
    const small = await cost(make(1));
    const large = await cost(make(growth));
    expect(large / small).toBeLessThan(maxRatio);
  });
});

function manyChunks(count: number): Uint8Array {
  const chunk = pngChunk('teXt', new Uint8Array(0));
  const chunks = new Uint8Array(count * chunk.length);
  for (let i = 0; i < count; i++) chunks.set(chunk, i * chunk.length);
  return chunks;
}

function comments(count: number): Uint8Array {
  return Uint8Array.from({ length: count * 4 }, (_, i) => [0xff, 0xfe, 0, 2][i & 3]);
}
