import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { defaultSpec, goldens, loadWebpModule, readFixture } from './fixtures.ts';

describe('the declared size is the upright one after orientation', () => {
  it.each(Object.keys(goldens.files))('%s', async (name) => {
    const { width, height } = goldens.files[name]!;
    const { header } = await decodeToCrop(
      readFixture(name),
      { ...defaultSpec, ...goldens.recipes[2] },
      { loadWebpModule },
    );
    const upright = header.orientation >= 5 ? [header.height, header.width] : [header.width, header.height];
    expect(upright).toEqual([width, height]);
  });
});

describe('kinds that are not decoded are refused by name', () => {
  it.each([
    ['refused-arithmetic.jpg', 'arithmetic coding'],
    ['refused-12-bit.jpg', '12-bit samples'],
    ['refused-fractional-sampling.jpg', 'sampling 2 x 1 of 3 x 1'],
    ['refused-avif.avif', 'AVIF'],
    ['refused-heic.heic', 'HEIC'],
  ])('%s', async (name, kind) => {
    await expect(decodeToCrop(readFixture(name), defaultSpec)).rejects.toMatchObject({
      name: 'CodedError',
      code: 'image_format_unsupported',
      message: expect.stringContaining(kind),
    });
  });
});
