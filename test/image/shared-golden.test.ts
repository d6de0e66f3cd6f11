import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { defaultSpec, pixelWays } from './fixtures.ts';

/** The reference set of photos is not part of this repository. */
const shared = process.env.RESNET_EDGE_SHARED;

interface GoldenItem {
  readonly image: string;
  readonly crop_rgb_sha256: string;
}

describe.skipIf(shared === undefined).each(pixelWays)(
  'photos of RESNET_EDGE_SHARED/golden, by $way',
  ({ routines }) => {
    const folder = join(shared ?? '', 'golden');
    const { items } =
      shared === undefined
        ? { items: [] }
        : (JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as { items: GoldenItem[] });

    it.each(items)("$image gives Pillow's crop", async ({ image, crop_rgb_sha256 }) => {
      const { crop, approximate } = await decodeToCrop(readFileSync(join(folder, image)), defaultSpec, {
        routines,
      });
      expect(createHash('sha256').update(crop).digest('hex')).toBe(crop_rgb_sha256);
      expect(approximate).toBe(false);
    });
  },
);
