import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/preprocess/image-to-crop.ts';
import { toTensor } from '../../src/preprocess/to-tensor.ts';
import { defaultSpec, pixelWays, readFixture } from './fixtures.ts';

/** Bounds of the fast mode's error, in normalised tensor units (one is about 58 grey levels). */
const maxMeanError = 0.01;
const maxError = 0.2;

/** A photo with fine noise: what a reduction that aliases would get wrong. */
function photo(width: number, height: number): Promise<Buffer> {
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
    .png()
    .toBuffer();
}

describe.each(pixelWays)('fast mode, by $way', { timeout: 60_000 }, ({ kernels }) => {
  it.each([
    { width: 1600, height: 1030, reducedTo: '1/2' },
    { width: 2100, height: 3000, reducedTo: '1/4' },
    { width: 4400, height: 4200, reducedTo: '1/8' },
  ])('$width x $height, reduced to $reducedTo, stays close to the exact crop', async ({ width, height }) => {
    const pixels = await photo(width, height);
    for (const options of [
      { chromaSubsampling: '4:2:0' },
      { chromaSubsampling: '4:4:4' },
      { chromaSubsampling: '4:2:0', progressive: true },
    ]) {
      const jpeg = await sharp(pixels)
        .jpeg({ quality: 88, ...options })
        .toBuffer();
      const exact = await decodeToCrop(jpeg, defaultSpec);
      const fast = await decodeToCrop(jpeg, defaultSpec, { fast: true, kernels });
      expect(exact.approximate).toBe(false);
      expect(fast.approximate).toBe(true);
      const expected = toTensor(exact.crop, defaultSpec).data;
      const errors = toTensor(fast.crop, defaultSpec).data.map((value, i) => Math.abs(value - expected[i]));
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      expect(mean).toBeLessThan(maxMeanError);
      expect(errors.reduce((most, error) => Math.max(most, error))).toBeLessThan(maxError);
    }
  });

  it('applies orientation like the exact mode', async () => {
    const pixels = await photo(2100, 3000);
    for (const orientation of [2, 3, 4, 5, 6, 7, 8]) {
      const jpeg = await sharp(pixels).withMetadata({ orientation }).jpeg({ quality: 88 }).toBuffer();
      const exact = await decodeToCrop(jpeg, defaultSpec);
      const { crop } = await decodeToCrop(jpeg, defaultSpec, { fast: true, kernels });
      const mean = crop.reduce((sum, value, i) => sum + Math.abs(value - exact.crop[i]), 0) / crop.length;
      expect(mean).toBeLessThan(1);
    }
  });

  it.each(['baseline-2x2.jpg', 'png-rgb.png'])(
    'leaves %s, which has no pixels to spare, exact',
    async (name) => {
      const exact = await decodeToCrop(readFixture(name), defaultSpec);
      const fast = await decodeToCrop(readFixture(name), defaultSpec, { fast: true, kernels });
      expect(fast).toEqual(exact);
      expect(fast.approximate).toBe(false);
    },
  );
});
