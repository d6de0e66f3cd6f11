import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Orientation } from '../../../src/image/image.ts';
import type { PixelArena } from '../../../src/image/pixel-arena.ts';
import type { PreprocessSpec } from '../../../src/image/preprocess-spec.ts';
import { createCropResampler } from '../../../src/image/resample/crop-resampler.ts';
import { createRoutines, defaultSpec, pixelWays } from '../fixtures.ts';

type Interpolation = PreprocessSpec['interpolation'];
/** Stored width and height, orientation, interpolation, shorter side, crop, SHA-256 of the crop. */
type Case = [number, number, Orientation, Interpolation, number, number, string];

/** Made by test/fixtures/make-resamples.py. */
const { cases } = JSON.parse(
  readFileSync(new URL('../../fixtures/resamples.json', import.meta.url), 'utf8'),
) as { cases: Case[] };

/** Row `y` of the script's `pattern`. */
function patternRow(width: number, y: number): Uint8Array {
  const row = new Uint8Array(width * 3);
  for (let i = 0; i < row.length; i++) {
    const mixed =
      Math.imul(Math.floor(i / 3), 73_856_093) + Math.imul(y, 19_349_663) + (i % 3) * 83_492_791 + 1;
    row[i] = Math.imul(mixed, 2_654_435_761) >>> 24;
  }
  return row;
}

describe.each(pixelWays)("any size becomes any other as Pillow's does, by $way", ({ routines }) => {
  it.each(cases)('%i x %i, orientation %i, %s to %i, crop %i', (width, height, orientation, ...recipe) => {
    const [interpolation, resizeShortestEdge, centerCrop, sha256] = recipe;
    const spec = { ...defaultSpec, interpolation, resizeShortestEdge, centerCrop };
    const arena = routines?.borrow();
    try {
      const resampler = createCropResampler({ width, height, orientation }, spec, 1, arena);
      const { top, bottom } = resampler.window;
      for (let y = top; y < bottom; y++) resampler.writeRow(patternRow(width, y), y);
      expect(resampler.complete).toBe(true);
      expect(createHash('sha256').update(resampler.crop).digest('hex')).toBe(sha256);
    } finally {
      arena?.release();
    }
  });
});

/** Row `y` of the pattern, colours apart in the arena. */
function patternPlanes(width: number, arena: PixelArena) {
  const rowBytes = width + 16;
  arena.reserve(rowBytes * 3);
  const planes = {
    red: arena.allocateView(rowBytes),
    green: arena.allocateView(rowBytes),
    blue: arena.allocateView(rowBytes),
  };
  return (y: number) => {
    const row = patternRow(width, y);
    for (const [channel, plane] of Object.values(planes).entries()) {
      for (let x = 0; x < width; x++) plane[x] = row[x * 3 + channel]!;
    }
    return planes;
  };
}

it('rows that come with their colours apart become the same', () => {
  const routines = createRoutines();
  let planar = 0;
  for (const [width, height, orientation, interpolation, resizeShortestEdge, centerCrop, sha256] of cases) {
    const spec = { ...defaultSpec, interpolation, resizeShortestEdge, centerCrop };
    const arena = routines.borrow()!;
    const resampler = createCropResampler({ width, height, orientation }, spec, 1, arena);
    if (resampler.writePlanes) {
      const { top, bottom } = resampler.window;
      const planesOf = patternPlanes(width, arena);
      for (let y = top; y < bottom; y++) resampler.writePlanes(planesOf(y), y);
      expect(createHash('sha256').update(resampler.crop).digest('hex')).toBe(sha256);
      planar++;
    }
    arena.release();
  }
  expect(planar).toBeGreaterThan(cases.length / 3);
});
