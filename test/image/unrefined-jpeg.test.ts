import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { toTensor } from '../../src/image/to-tensor.ts';
import { defaultSpec, readEdgeCase } from './fixtures.ts';

/**
 * libjpeg smooths across blocks what is not refined yet, this decoder does not. Bounds in normalised tensor units
 * (one is about 58 grey levels).
 */
describe('a progressive JPEG that ends before its last refinement is near what libjpeg makes of it', () => {
  it.each([
    // Blocks of 8 x 8 in one colour each, enlarged.
    { scans: 1, maxMeanError: 0.35 },
    { scans: 5, maxMeanError: 0.01 },
    { scans: 9, maxMeanError: 0.002 },
  ])('after $scans of its scans', async ({ scans, maxMeanError }) => {
    const name = `unrefined-${scans}-scans`;
    const { crop, approximate } = await decodeToCrop(readEdgeCase(`${name}.jpg`), defaultSpec);
    expect(approximate).toBe(true);
    const golden = await sharp(readEdgeCase(`${name}.crop.png`))
      .raw()
      .toBuffer();
    const expected = toTensor(new Uint8Array(golden), defaultSpec).data;
    const errors = toTensor(crop, defaultSpec).data.map((value, i) => Math.abs(value - expected[i]!));
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(mean).toBeLessThan(maxMeanError);
  });
});
