import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import createWabt from 'wabt';
import { createAvifDecoder } from '../../../../src/image/codecs/avif/decode-avif.ts';
import { UnknownModuleError } from '../../../../src/image/codecs/avif/unknown-module-error.ts';
import type { PixelWindow } from '../../../../src/image/image.ts';
import avifCases from '../../../fixtures/avif-cases.json' with { type: 'json' };
import { decodeToFrame } from '../../decode-to-frame.ts';
import { decodeAvif, loadAvifModules, loadDav1d } from '../../fixtures.ts';

const folder = new URL('../../../fixtures/avif-cases/', import.meta.url);
const names = Object.keys(avifCases.files) as (keyof typeof avifCases.files)[];
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

describe('every pixel is the one that Pillow stores', () => {
  it.each(names)('%s', async (name) => {
    const frame = await decodeToFrame(read(name));
    expect(createHash('sha256').update(frame).digest('hex')).toBe(avifCases.files[name].frame);
  });
});

describe('a window has the pixels of the whole', () => {
  const width = 131;
  const windows = [
    { left: 0, top: 0, right: 1, bottom: 1 },
    { left: 1, top: 1, right: 2, bottom: 4 },
    { left: 4, top: 7, right: 31, bottom: 20 },
    { left: 77, top: 90, right: 130, bottom: 96 },
    { left: 130, top: 96, right: 131, bottom: 97 },
    { left: 101, top: 0, right: 131, bottom: 97 },
  ] satisfies PixelWindow[];

  it.each(['420-odd.avif', '422-odd.avif', '444-odd.avif', '400-odd.avif'])('%s', async (name) => {
    const bytes = read(name);
    const frame = await decodeToFrame(bytes);
    for (const window of windows) {
      const rows: number[] = [];
      await decodeAvif(bytes, {
        window,
        writeRow(rgb, y) {
          rows.push(y);
          const at = (y * width + window.left) * 3;
          const expected = frame.subarray(at, at + 3 * (window.right - window.left));
          expect(rgb.subarray(window.left * 3, window.right * 3)).toEqual(expected);
        },
      });
      expect(rows).toEqual(Array.from({ length: window.bottom - window.top }, (_, i) => window.top + i));
    }
  });
});

describe('a window of a grid has the pixels of the whole, of the tiles that it needs', () => {
  const bytes = read('grid-order.avif');
  const tile = { width: 160, height: 120 };
  it.each([
    { left: 0, top: 0, right: 5, bottom: 3 },
    { left: 10, top: 119, right: 50, bottom: 121 },
    { left: 161, top: 0, right: 200, bottom: 200 },
    { left: 158, top: 118, right: 163, bottom: 123 },
    { left: 3, top: 121, right: 299, bottom: 200 },
  ] satisfies PixelWindow[])('%o', async (window) => {
    const width = 300;
    const frame = await decodeToFrame(bytes);
    const rows: number[] = [];
    await decodeAvif(bytes, {
      window,
      writeRow(rgb, y) {
        rows.push(y);
        const at = (y * width + window.left) * 3;
        expect(rgb.subarray(window.left * 3, window.right * 3)).toEqual(
          frame.subarray(at, at + 3 * (window.right - window.left)),
        );
      },
    });
    expect(rows).toEqual(Array.from({ length: window.bottom - window.top }, (_, i) => window.top + i));
  });

  it('damage in a tile that the window does not need is not seen', async () => {
    const damaged = bytes.slice();
    // The description of the grid is the last item.
    damaged.fill(0x55, damaged.length - 400, damaged.length - 100);
    const decode = (window: PixelWindow) => decodeAvif(damaged, { window, writeRow() {} });
    await decode({ left: 0, top: 0, right: tile.width - 2, bottom: tile.height - 2 });
    const below = { left: 0, top: 0, right: 300, bottom: 200 };
    await expect(decode(below)).rejects.toMatchObject({ code: 'image_malformed' });
  });
});

describe('which decoder is asked for', () => {
  const count = async (name: string) => {
    const loads = { dav1d: 0, libavif: 0 };
    const decode = createAvifDecoder({
      loadDav1d: () => {
        loads.dav1d++;
        return loadDav1d();
      },
      loadLibavif: () => {
        loads.libavif++;
        return loadAvifModules();
      },
    });
    await decode(read(name), { window: { left: 0, top: 0, right: 1, bottom: 1 }, writeRow() {} });
    return loads;
  };

  it.each(['420.avif', '420-alpha.avif', '420-odd.avif', 'no-pixi.avif', 'grid-420.avif', 'film-grain.avif'])(
    'dav1d: %s',
    async (name) => expect(await count(name)).toEqual({ dav1d: 1, libavif: 0 }),
  );

  it.each([
    '10-420.avif',
    '422.avif',
    '444.avif',
    '400.avif',
    '420-premultiplied.avif',
    'grid-444.avif',
    'animated.avif',
  ])('libavif: %s', async (name) => expect(await count(name)).toEqual({ dav1d: 0, libavif: 1 }));
});

describe('another build is found out, and decodes nothing', () => {
  const sink = { window: { left: 0, top: 0, right: 150, bottom: 116 }, writeRow: () => expect.unreachable() };
  const assemble = async (text: string) => {
    const wabt = await createWabt();
    return new WebAssembly.Module(new Uint8Array(wabt.parseWat('other', text).toBinary({}).buffer));
  };

  it('of libavif', async () => {
    const other = await assemble('(module (memory (export "F") 256) (table (export "K") 8 funcref))');
    const decode = createAvifDecoder({
      loadDav1d,
      loadLibavif: () => ({ ...loadAvifModules(), libavif: other }),
    });
    await expect(decode(read('444.avif'), sink)).rejects.toThrow(UnknownModuleError);
  });

  it.each([
    ['other exports', '(module (memory (export "h") 256) (func (export "i")))'],
    ['other imports', '(module (import "env" "g" (func)) (memory (export "h") 256))'],
  ])('of dav1d, with %s', async (_, text) => {
    const other = await assemble(text);
    const decode = createAvifDecoder({ loadDav1d: () => other, loadLibavif: loadAvifModules });
    await expect(decode(read('420.avif'), sink)).rejects.toThrow(UnknownModuleError);
  });
});
