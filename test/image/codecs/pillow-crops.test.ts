import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeToCrop } from '../../../src/image/image-to-crop.ts';
import goldens from '../../fixtures/goldens.json' with { type: 'json' };
import tiffCases from '../../fixtures/tiff-cases.json' with { type: 'json' };
import { defaultSpec } from '../default-spec.ts';

/**
 * The formats that are decoded by leaves of plain TypeScript, at one size: a second of what pixel-cases.test.ts takes a
 * minute for, to judge mutants by (`npm run mutate`).
 */
const lists = [
  { folder: 'images', ...goldens },
  { folder: 'tiff-cases', ...tiffCases },
];

describe.each(lists)('$folder', ({ folder, recipes, files }) => {
  const [recipe] = recipes as [
    Pick<typeof defaultSpec, 'interpolation' | 'resizeShortestEdge' | 'centerCrop'>,
  ];
  const named = Object.entries(files).filter(([name]) => /\.(bmp|gif|tif)$/.test(name));

  it.each(named)('%s has the crop that Pillow makes', async (name, { sha256 }) => {
    const bytes = new Uint8Array(readFileSync(new URL(`../../fixtures/${folder}/${name}`, import.meta.url)));
    const { crop } = await decodeToCrop(bytes, { ...defaultSpec, ...recipe });
    expect(createHash('sha256').update(crop).digest('hex')).toBe(sha256[0]);
  });
});
