import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { markerPositions } from '../hostile/jpeg-files.ts';
import { concat } from '../hostile/png-files.ts';
import { defaultSpec, loadWebpModule, readFixture } from './fixtures.ts';

const startOfScan = 0xda;

describe('decodeToCrop', () => {
  it('tells when a stage begins', async () => {
    const stages: string[] = [];
    await decodeToCrop(readFixture('baseline-1x1.jpg'), defaultSpec, {
      onStage: (stage) => stages.push(stage),
    });
    expect(stages).toEqual(['probe', 'decode']);
  });

  it('refuses lossless WebP where no libwebp is deployed, and asks for it only then', async () => {
    let loads = 0;
    const options = {
      loadWebpModule: () => {
        loads++;
        return loadWebpModule();
      },
    };
    await decodeToCrop(readFixture('webp-lossy.webp'), defaultSpec, options);
    expect(loads).toBe(0);
    await decodeToCrop(readFixture('webp-lossless.webp'), defaultSpec, options);
    expect(loads).toBe(1);
    await expect(decodeToCrop(readFixture('webp-lossless.webp'), defaultSpec)).rejects.toMatchObject({
      code: 'image_format_unsupported',
    });
  });

  it('decodes several images at once without mixing them up', async () => {
    const names = [
      'baseline-2x2.jpg',
      'png-rgb.png',
      'png-rgb-adam7.png',
      'progressive-2x2.jpg',
      'gif-plain.gif',
    ];
    const alone = [];
    for (const name of names) alone.push((await decodeToCrop(readFixture(name), defaultSpec)).crop);
    const together = await Promise.all(names.map((name) => decodeToCrop(readFixture(name), defaultSpec)));
    expect(together.map(({ crop }) => crop)).toEqual(alone);
  });

  it('shows a progressive JPEG without its last scan much as it is, and says what is missing', async () => {
    const whole = readFixture('progressive-2x2.jpg');
    const lastScan = markerPositions(whole).findLast((at) => whole[at + 1] === startOfScan);
    const coarse = concat([whole.subarray(0, lastScan), Uint8Array.of(0xff, 0xd9)]);
    const { warnings, crop } = await decodeToCrop(coarse, defaultSpec);
    expect(warnings).toEqual(['jpeg_scans_missing']);
    const exact = await decodeToCrop(whole, defaultSpec);
    const mean = crop.reduce((sum, value, i) => sum + Math.abs(value - exact.crop[i]!), 0) / crop.length;
    expect(mean).toBeLessThan(4);
  });
});
