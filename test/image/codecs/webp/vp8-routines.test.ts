import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWebp } from '../../../../src/image/codecs/webp/decode-webp.ts';
import type { PixelWindow } from '../../../../src/image/image.ts';
import { parseImageHeader } from '../../../../src/image/probe.ts';
import { fuzz } from '../../../fuzz.ts';
import { GuardedArena } from '../jpeg/guarded-arena.ts';

const folder = new URL('../../../fixtures/webp-cases/', import.meta.url);
const names = readdirSync(folder);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const guarded = new GuardedArena();

/** Every pixel of the window, or what decoding it ends with. */
async function decode(
  bytes: Uint8Array,
  byRoutines: boolean,
  choose?: (width: number, height: number) => PixelWindow,
): Promise<Uint8Array | string> {
  const arena = byRoutines ? guarded.restart() : undefined;
  try {
    const header = parseImageHeader(bytes);
    const { width, height } = header;
    const window = choose?.(width, height) ?? { left: 0, top: 0, right: width, bottom: height };
    // A mutated header may declare any size.
    if (width * height > 4_000_000) return 'too large for this test';
    const rowBytes = 3 * (window.right - window.left);
    const pixels = new Uint8Array(rowBytes * (window.bottom - window.top));
    const writeRow = (rgb: Uint8Array, y: number) =>
      pixels.set(rgb.subarray(3 * window.left, 3 * window.right), (y - window.top) * rowBytes);
    await decodeWebp(bytes, header, { window, writeRow }, undefined, arena);
    return pixels;
  } catch (error) {
    return String(error);
  } finally {
    arena?.expectIntact();
  }
}

async function expectSame(...[bytes, choose]: [Uint8Array, Parameters<typeof decode>[2]?]) {
  const plain = await decode(bytes, false, choose);
  const byRoutines = await decode(bytes, true, choose);
  if (typeof plain === 'string' || typeof byRoutines === 'string') expect(byRoutines).toBe(plain);
  else expect(Buffer.compare(byRoutines, plain)).toBe(0);
  return plain;
}

/** Plain TypeScript is the reference; Pillow's bytes are its own (test/image/pixel-cases.ts). */
describe('VP8 by routines', () => {
  it.each(names)('gives the bytes that TypeScript gives: %s', async (name) => {
    const bytes = read(name);
    expect(typeof (await expectSame(bytes))).toBe('object');
    for (const [x, y, share] of [
      [0.3, 0.2, 0.4],
      [0.6, 0.7, 0.4],
      [0, 0.5, 0.1],
    ] as const) {
      await expectSame(bytes, (width, height) => ({
        left: Math.floor(x * width),
        top: Math.floor(y * height),
        right: Math.min(width, Math.floor(x * width) + Math.ceil(share * width)),
        bottom: Math.min(height, Math.floor(y * height) + Math.ceil(share * height)),
      }));
    }
  });

  const search = fuzz(3000);
  it(`ends as TypeScript does with ${search.numRuns} mutated files`, { timeout: 0 }, async () => {
    let decoded = 0;
    const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat(255) });
    const changes = fc.array(change, { minLength: 1, maxLength: 6 });
    const property = fc.asyncProperty(fc.constantFrom(...names), changes, async (name, list) => {
      const bytes = read(name);
      // Behind the container's header: what is changed there is soon refused.
      for (const { at, value } of list) bytes[20 + Math.floor(at * (bytes.length - 20))] = value;
      if (typeof (await expectSame(bytes)) === 'object') decoded++;
    });
    await fc.assert(property, search);
    expect(decoded).toBeGreaterThan(search.numRuns / 10);
  });
});
