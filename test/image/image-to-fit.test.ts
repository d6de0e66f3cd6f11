import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { decodeToFit } from '../../src/image/image-to-fit.ts';
import { createRoutines, loadWebpModule, readFixture } from './fixtures.ts';

/** File, greatest width and height, filter, width and height of the result, SHA-256: test/fixtures/make-fits.py. */
type Row = [string, number, number, 'bilinear' | 'bicubic', number, number, string];
const rows = JSON.parse(await readFile(new URL('../fixtures/fits.json', import.meta.url), 'utf8')) as Row[];
const routines = createRoutines();

describe('decodeToFit gives what Pillow gives', () => {
  it.each(rows)(
    '%s within %i x %i, %s',
    async (name, maxWidth, maxHeight, interpolation, width, height, sha) => {
      const fitted = await decodeToFit(
        readFixture(name),
        { maxWidth, maxHeight, interpolation },
        { loadWebpModule, routines },
      );
      expect([fitted.width, fitted.height]).toEqual([width, height]);
      expect(createHash('sha256').update(fitted.rgb).digest('hex')).toBe(sha);
    },
  );

  it.each([0, -1, 1.5, Number.NaN])('and refuses a box of %s pixels', async (maxWidth) => {
    await expect(decodeToFit(readFixture('png-rgb.png'), { maxWidth, maxHeight: 9 })).rejects.toThrow(
      `maxWidth must be a whole number of at least 1, got: ${maxWidth}`,
    );
  });
});
