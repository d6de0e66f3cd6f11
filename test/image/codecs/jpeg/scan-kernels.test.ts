import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { BitReader } from '../../../../src/image/codecs/jpeg/bit-reader.ts';
import { decodeJpeg, type JpegOutputSide } from '../../../../src/image/codecs/jpeg/decode-jpeg.ts';
import type { RowSink } from '../../../../src/image/image.ts';
import { parseImageHeader } from '../../../../src/image/probe.ts';
import { maxJpegRoutineScans } from '../../../../src/limits.ts';
import type { ImageWarning } from '../../../../src/warnings.ts';
import { fuzz } from '../../../fuzz.ts';
import { endOfImage, frame, quantization, segment, startOfImage } from '../../../hostile/jpeg-files.ts';
import { concat } from '../../../hostile/png-files.ts';
import { GuardedArena } from './guarded-arena.ts';
import { randomJpeg } from './random-jpeg.ts';

const width = 320;
const height = 240;
const guarded = new GuardedArena();

interface Decoded {
  readonly pixels: Uint8Array;
  readonly warnings: readonly ImageWarning[];
}

/** The rows of the image, or of a window in its middle, with what is said of damage; or what decoding it ends with. */
function decode(
  bytes: Uint8Array,
  side: JpegOutputSide,
  byKernels: boolean,
  isCropped: boolean,
): Decoded | string {
  const size = parseImageHeader(bytes);
  const full = { right: Math.ceil((size.width * side) / 8), bottom: Math.ceil((size.height * side) / 8) };
  const inner = (length: number) => ({ from: Math.floor(length / 3), to: Math.ceil((length * 2) / 3) });
  const [across, down] = [inner(full.right), inner(full.bottom)];
  const window = isCropped
    ? { left: across.from, top: down.from, right: across.to, bottom: down.to }
    : { left: 0, top: 0, ...full };
  const rowBytes = (window.right - window.left) * 3;
  const pixels = new Uint8Array(rowBytes * (window.bottom - window.top));
  const sink: RowSink = {
    window,
    writeRow: (rgb, y) =>
      pixels.set(rgb.subarray(window.left * 3, window.right * 3), (y - window.top) * rowBytes),
  };
  const arena = byKernels ? guarded.restart() : undefined;
  try {
    const warnings = new Set<ImageWarning>();
    decodeJpeg(bytes, sink, { side, arena, warn: (warning) => warnings.add(warning) });
    return { pixels, warnings: [...warnings].sort() };
  } catch (error) {
    return String(error);
  } finally {
    arena?.expectIntact();
  }
}

function expectSame(bytes: Uint8Array, side: JpegOutputSide, isCropped = false): Decoded | string {
  const plain = decode(bytes, side, false, isCropped);
  const byKernels = decode(bytes, side, true, isCropped);
  if (typeof plain === 'string' || typeof byKernels === 'string') expect(byKernels).toBe(plain);
  else {
    expect(Buffer.compare(byKernels.pixels, plain.pixels)).toBe(0);
    expect(byKernels.warnings).toEqual(plain.warnings);
  }
  return plain;
}

interface NoiseOptions {
  readonly chromaSubsampling: '4:2:0' | '4:4:4';
  readonly progressive?: boolean;
}

/** Several times what a routine takes of a file at once, with stuffed bytes everywhere. */
async function noise(sigma: number, options: NoiseOptions): Promise<Uint8Array> {
  const pixels = { type: 'gaussian', mean: 128, sigma } as const;
  const image = sharp({ create: { width, height, channels: 3, background: 'grey', noise: pixels } });
  return new Uint8Array(await image.jpeg({ quality: 98, ...options }).toBuffer());
}

/** Where the data of the first scan begins. */
const firstData = (file: Uint8Array) => {
  const scan = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xda);
  return scan + 2 + ((file[scan + 2]! << 8) | file[scan + 3]!);
};

const chunkBytes = { sequential: 16_384, progressive: 4096 };
/** Ends, markers and stuffed bytes, mostly where one chunk ends and the next begins. */
const damage = fc.record({
  kind: fc.constantFrom('cut', 'set'),
  at: fc.oneof(
    fc
      .record({
        chunk: fc.constantFrom(chunkBytes.sequential, chunkBytes.progressive),
        count: fc.integer({ min: 1, max: 5 }),
        by: fc.integer({ min: -8, max: 8 }),
      })
      .map(({ chunk, count, by }) => chunk * count + by),
    fc.integer({ min: 0, max: 100_000 }),
  ),
  value: fc.constantFrom([0xff], [0], [0xff, 0], [0xff, 0xd0], [0xff, 0xd9], [0xff, 0xff, 0xd9], [0x55]),
});

describe.each([{ progressive: false }, { progressive: true }])(
  'scans by routines, progressive: $progressive',
  { timeout: 60_000 },
  ({ progressive }) => {
    it('leave no MCU of a sound file to TypeScript', async () => {
      // So many that of some a stuffed byte is divided by the end of a chunk.
      const sigmas = Array.from({ length: progressive ? 10 : 40 }, (_, i) => 20 + i);
      const seek = vi.spyOn(BitReader.prototype, 'seek');
      for (const sigma of sigmas) {
        const file = await noise(sigma, { chromaSubsampling: '4:4:4', progressive });
        expect(expectSame(file, 8)).toMatchObject({ warnings: [] });
        expect(expectSame(file, 8, true)).toMatchObject({ warnings: [] });
      }
      expect(seek).not.toHaveBeenCalled();
      const file = await noise(30, { chromaSubsampling: '4:2:0', progressive });
      file.set([0xff, 0xd9], firstData(file) + 5000);
      expect(expectSame(file, 8)).toMatchObject({ warnings: expect.arrayContaining(['jpeg_data_damaged']) });
      expect(seek).toHaveBeenCalledOnce();
      seek.mockRestore();
    });

    it('end where plain TypeScript ends, in pixels and in words, wherever the data is damaged', async () => {
      const files = [
        await noise(30, { chromaSubsampling: '4:2:0', progressive }),
        await noise(30, { chromaSubsampling: '4:4:4', progressive }),
        await noise(60, { chromaSubsampling: '4:2:0', progressive }),
      ];
      const outcomes = new Set<string>();
      fc.assert(
        fc.property(
          fc.constantFrom(...files),
          fc.constantFrom<JpegOutputSide>(8, 4, 2, 1),
          damage,
          fc.boolean(),
          (file, side, { kind, at, value }, isCropped) => {
            const from = firstData(file) + at;
            const bytes = file.slice(0, kind === 'cut' ? from : undefined);
            if (kind === 'set' && from + value.length < bytes.length) bytes.set(value, from);
            const outcome = expectSame(bytes, side, isCropped);
            outcomes.add(typeof outcome === 'string' ? outcome : String(outcome.warnings));
          },
        ),
        fuzz(120),
      );
      // Otherwise it is not known whether errors and warnings are the same.
      expect(outcomes.size).toBeGreaterThan(2);
    });

    it('decode what no encoder writes as plain TypeScript does', () => {
      const outcomes: (Decoded | string)[] = [];
      fc.assert(
        fc.property(
          fc.nat(),
          fc.constantFrom<JpegOutputSide>(8, 8, 4, 2, 1),
          fc.boolean(),
          (seed, side, isCropped) => {
            outcomes.push(expectSame(randomJpeg(seed, progressive), side, isCropped));
          },
        ),
        fuzz(200),
      );
      // Otherwise little but errors would be compared.
      const decoded = outcomes.filter((outcome) => typeof outcome !== 'string');
      expect(decoded.length).toBeGreaterThan(outcomes.length / 4);
    });
  },
);

it('scans that each bring their own tables have room for them, or no routines', () => {
  const sampling = [0x11, 0x11, 0x11, 0x11];
  const oneCode = [1, ...Array<number>(15).fill(0), 0];
  const tables = concat(sampling.map((_, i) => segment(0xc4, [i, ...oneCode])));
  const scan = segment(0xda, [4, ...sampling.flatMap((_, i) => [i + 1, i << 4]), 0, 0, 0]);
  const data = new Uint8Array((4 * 16) / 8);
  const scans = (count: number) => Array.from({ length: count }, () => [tables, scan, data]).flat();
  for (const count of [1, maxJpegRoutineScans, maxJpegRoutineScans + 1]) {
    const header = frame({ code: 0xc2, width: 32, height: 32, sampling });
    const file = concat([startOfImage, quantization, header, ...scans(count), endOfImage]);
    expect(expectSame(file, 8)).toBeTypeOf('object');
  }
});
