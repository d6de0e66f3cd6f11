import sharp, { type JpegOptions } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import type { PixelRoutines } from '../../src/image/pixel-arena.ts';
import { toTensor } from '../../src/image/to-tensor.ts';
import { createRoutines, defaultSpec, pixelWays, readFixture } from './fixtures.ts';

/** Bounds of the fast mode's error, in normalised tensor units (one is about 58 grey levels): on photos. */
const maxMeanError = 0.01;
const maxError = 0.2;
/** On a page of small letters and hard edges, black next to white. */
const maxMeanDrawnError = 0.06;
const maxDrawnError = 0.6;

/** Both ways of decoding take the same files. */
function onlyOnce<A extends readonly unknown[], R>(make: (...args: A) => R): (...args: A) => R {
  const made = new Map<string, R>();
  return (...args) => {
    const key = JSON.stringify(args);
    const result = made.get(key) ?? make(...args);
    made.set(key, result);
    return result;
  };
}

/** A photo with fine noise: what a reduction that aliases would get wrong. RGB. */
const makePhoto = onlyOnce((width: number, height: number): Promise<Buffer> => {
  const noise = {
    create: {
      width,
      height,
      channels: 3,
      background: 'grey',
      noise: { type: 'gaussian', mean: 128, sigma: 25 },
    },
  } as const;
  return sharp(readFixture('baseline-1x1.jpg'))
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .composite([{ input: noise, blend: 'soft-light' }])
    .removeAlpha()
    .raw()
    .toBuffer();
});

const photo = onlyOnce(
  async (width: number, height: number, options: JpegOptions, orientation?: number): Promise<Buffer> => {
    const raw = { width, height, channels: 3 } as const;
    const image = sharp(await makePhoto(width, height), { raw });
    if (orientation !== undefined) image.withMetadata({ orientation });
    return image.jpeg({ quality: 88, ...options }).toBuffer();
  },
);

/** The worst for a reduction: all edges are hard, and few lie on the grid of the blocks. */
const drawnPage = onlyOnce((width: number, height: number): Promise<Buffer> => {
  const shapes = Array.from({ length: 900 }, (_, i) => {
    // Spread over the page without a pattern, the same in every run.
    const x = ((i * 0.618034) % 1) * width;
    const y = ((i * 0.754878) % 1) * height;
    const colour = `hsl(${(i * 47) % 360},100%,${(i * 13) % 80}%)`;
    return i % 2 === 0
      ? `<text x="${x}" y="${y}" font-size="${10 + (i % 60)}" fill="${colour}">Wg#M${i}</text>`
      : `<rect x="${x}" y="${y}" width="${i % 40}" height="${(i * 7) % 40}" fill="${colour}"
          transform="rotate(${i % 90} ${x} ${y})"/>`;
  });
  const svg = `<svg width="${width}" height="${height}" xmlns="http://www.w3.org/2000/svg">
    <rect width="100%" height="100%" fill="white"/>${shapes.join('')}</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().jpeg({ quality: 92 }).toBuffer();
});

/** Mean and largest difference of the fast tensor to the exact one. */
async function tensorErrors(jpeg: Uint8Array, routines: PixelRoutines | undefined) {
  // Plain TypeScript gives the same crop (pixel-cases.test.ts), and takes ten times as long.
  const exact = await decodeToCrop(jpeg, defaultSpec, { routines: createRoutines() });
  const fast = await decodeToCrop(jpeg, defaultSpec, { fast: true, routines });
  expect(exact.approximate).toBe(false);
  expect(fast.approximate).toBe(true);
  const expected = toTensor(exact.crop, defaultSpec).data;
  const errors = toTensor(fast.crop, defaultSpec).data.map((value, i) => Math.abs(value - expected[i]!));
  return {
    mean: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    max: errors.reduce((most, error) => Math.max(most, error)),
  };
}

describe.each(pixelWays)('fast mode, by $way', { timeout: 60_000 }, ({ routines }) => {
  it.each([
    { width: 1600, height: 1030, reducedTo: '1/2' },
    { width: 2100, height: 3000, reducedTo: '1/4' },
    { width: 4400, height: 4200, reducedTo: '1/8' },
  ])('$width x $height, reduced to $reducedTo, stays close to the exact crop', async ({ width, height }) => {
    for (const options of [
      { chromaSubsampling: '4:2:0' },
      { chromaSubsampling: '4:4:4' },
      { chromaSubsampling: '4:2:0', progressive: true },
    ]) {
      const jpeg = await photo(width, height, options);
      const { mean, max } = await tensorErrors(jpeg, routines);
      expect(mean).toBeLessThan(maxMeanError);
      expect(max).toBeLessThan(maxError);
    }
  });

  it.each([
    { width: 1600, height: 1030, reducedTo: '1/2' },
    { width: 2100, height: 3000, reducedTo: '1/4' },
    { width: 4400, height: 4200, reducedTo: '1/8' },
  ])(
    'a drawn page of $width x $height, reduced to $reducedTo, keeps its edges',
    async ({ width, height }) => {
      const { mean, max } = await tensorErrors(await drawnPage(width, height), routines);
      expect(mean).toBeLessThan(maxMeanDrawnError);
      expect(max).toBeLessThan(maxDrawnError);
    },
  );

  it('applies orientation like the exact mode', async () => {
    for (const orientation of [2, 3, 4, 5, 6, 7, 8]) {
      const jpeg = await photo(2100, 3000, {}, orientation);
      // Plain TypeScript gives the same crop (pixel-cases.test.ts), and takes ten times as long.
      const exact = await decodeToCrop(jpeg, defaultSpec, { routines: createRoutines() });
      const { crop } = await decodeToCrop(jpeg, defaultSpec, { fast: true, routines });
      const mean = crop.reduce((sum, value, i) => sum + Math.abs(value - exact.crop[i]!), 0) / crop.length;
      expect(mean).toBeLessThan(1);
    }
  });

  it.each(['baseline-2x2.jpg', 'png-rgb.png'])(
    'leaves %s, which has no pixels to spare, exact',
    async (name) => {
      const exact = await decodeToCrop(readFixture(name), defaultSpec);
      const fast = await decodeToCrop(readFixture(name), defaultSpec, { fast: true, routines });
      expect(fast).toEqual(exact);
      expect(fast.approximate).toBe(false);
    },
  );
});
