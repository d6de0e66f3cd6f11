import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { toTensor } from '../../src/image/to-tensor.ts';
import { defaultSpec, edgeCases, loadWebpModule, pixelWays, readEdgeCase } from './fixtures.ts';

const { recipes, files, cuts } = edgeCases;

describe.each(pixelWays)("edge cases give Pillow's crops, by $way", ({ kernels }) => {
  it.each(Object.keys(files))('%s', async (name) => {
    const digests = [];
    for (const recipe of recipes) {
      const spec = { ...defaultSpec, ...recipe };
      const { crop, approximate } = await decodeToCrop(readEdgeCase(name), spec, { loadWebpModule, kernels });
      expect(approximate).toBe(false);
      digests.push(createHash('sha256').update(crop).digest('hex'));
    }
    expect(digests).toEqual(files[name].sha256);
  });
});

/**
 * Bytes at the end that only say that it is the end: Pillow refuses a JPEG without EOI and a GIF without the end
 * code in its last two bytes of data; they are merely odd, for no pixel is missing.
 */
const endMarkBytes: Readonly<Record<string, number>> = { jpg: 2, gif: 4 };
/** Pillow does not miss a PNG's end, its last checksum and the end of its zlib stream; they are missed here. */
const strictBytes: Readonly<Record<string, number>> = { png: 24 };

describe('a file that is cut is refused where Pillow refuses it, also below the crop', () => {
  it.each(Object.keys(cuts))('%s', async (name) => {
    const whole = readEdgeCase(name);
    const { lengths, shown } = cuts[name];
    const type = name.slice(name.lastIndexOf('.') + 1);
    let refusals = 0;
    for (const length of lengths) {
      const missing = whole.length - length;
      const outcome = await decodeToCrop(whole.subarray(0, length), defaultSpec, { loadWebpModule }).then(
        () => 'shown',
        (error) => error.code,
      );
      const expected = [shown.includes(length) ? 'shown' : 'image_truncated'];
      if (missing <= (endMarkBytes[type] ?? 0)) expected.push('shown');
      if (missing <= (strictBytes[type] ?? 0)) expected.push('image_truncated');
      expect.soft(expected, `${name} cut to ${length} of ${whole.length}: ${outcome}`).toContain(outcome);
      if (outcome === 'image_truncated') refusals++;
    }
    expect(refusals).toBeGreaterThan(20);
  });
});

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
    const errors = toTensor(crop, defaultSpec).data.map((value, i) => Math.abs(value - expected[i]));
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(mean).toBeLessThan(maxMeanError);
  });
});
