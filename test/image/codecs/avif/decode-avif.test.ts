import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import createWabt from 'wabt';
import { createAvifDecoder } from '../../../../src/image/codecs/avif/decode-avif.ts';
import { UnknownModuleError } from '../../../../src/image/codecs/avif/unknown-module-error.ts';
import type { PixelWindow } from '../../../../src/image/image.ts';
import avifCases from '../../../fixtures/avif-cases.json' with { type: 'json' };
import { decodeToFrame } from '../../decode-to-frame.ts';
import { decodeAvif, loadAvifModules } from '../../fixtures.ts';

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

it('another build of libavif is found out, and decodes nothing', async () => {
  const wabt = await createWabt();
  const text = '(module (memory (export "F") 256) (table (export "K") 8 funcref))';
  const other = new WebAssembly.Module(new Uint8Array(wabt.parseWat('other', text).toBinary({}).buffer));
  const decode = createAvifDecoder(() => ({ ...loadAvifModules(), libavif: other }));
  const sink = { window: { left: 0, top: 0, right: 150, bottom: 116 }, writeRow: () => expect.unreachable() };
  await expect(decode(read('420.avif'), sink)).rejects.toThrow(UnknownModuleError);
});
