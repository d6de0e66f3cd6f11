import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import type { RowSink } from '../../src/image/image.ts';
import { BitReader } from '../../src/image/jpeg/bit-reader.ts';
import { decodeJpeg, type JpegOutputSide } from '../../src/image/jpeg/decode-jpeg.ts';
import { createKernels } from '../image/fixtures.ts';

const width = 320;
const height = 240;
const kernels = createKernels();

/** Every row of the image, or what decoding it ends with. */
function decode(bytes: Uint8Array, side: JpegOutputSide, byKernels: boolean): Uint8Array | string {
  const window = { left: 0, top: 0, right: (width * side) / 8, bottom: (height * side) / 8 };
  const rowBytes = window.right * 3;
  const pixels = new Uint8Array(rowBytes * window.bottom);
  const sink: RowSink = {
    window,
    writeRow: (rgb, y) => pixels.set(rgb.subarray(0, rowBytes), y * rowBytes),
  };
  const arena = byKernels ? kernels.borrow() : undefined;
  try {
    decodeJpeg(bytes, sink, side, arena);
    return pixels;
  } catch (error) {
    return String(error);
  } finally {
    arena?.release();
  }
}

function expectSame(bytes: Uint8Array, side: JpegOutputSide): Uint8Array | string {
  const plain = decode(bytes, side, false);
  const byKernels = decode(bytes, side, true);
  if (typeof plain === 'string' || typeof byKernels === 'string') expect(byKernels).toBe(plain);
  else expect(Buffer.compare(byKernels, plain)).toBe(0);
  return plain;
}

/** Several times what the kernel takes of a file at once, with stuffed bytes everywhere. */
function noise(chromaSubsampling: '4:2:0' | '4:4:4', sigma: number): Promise<Uint8Array> {
  const pixels = { type: 'gaussian', mean: 128, sigma } as const;
  return sharp({ create: { width, height, channels: 3, background: 'grey', noise: pixels } })
    .jpeg({ quality: 98, chromaSubsampling })
    .toBuffer()
    .then((buffer) => new Uint8Array(buffer));
}

const chunkBytes = 16_384;
/** Ends, markers and stuffed bytes, mostly where one chunk ends and the next begins. */
const damage = fc.record({
  kind: fc.constantFrom('cut', 'set'),
  at: fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: -8, max: 8 }))
      .map(([n, by]) => n * chunkBytes + by),
    fc.integer({ min: 0, max: 100_000 }),
  ),
  value: fc.constantFrom(
    [0xff],
    [0x00],
    [0xff, 0x00],
    [0xff, 0xd0],
    [0xff, 0xd9],
    [0xff, 0xff, 0xd9],
    [0x55],
  ),
});

describe('sequential scans by the kernel', () => {
  it('leave no MCU of a sound file to TypeScript', async () => {
    // So many that of some a stuffed byte is divided by the end of a chunk.
    const noises = Array.from({ length: 40 }, (_, i) => 20 + i);
    const seek = vi.spyOn(BitReader.prototype, 'seek');
    for (const file of await Promise.all(noises.map((sigma) => noise('4:4:4', sigma)))) {
      expect(expectSame(file, 8)).toBeInstanceOf(Uint8Array);
    }
    expect(seek).not.toHaveBeenCalled();
    expect(expectSame((await noise('4:2:0', 30)).slice(0, 40_000), 8)).toMatch(/ends too early/);
    expect(seek).toHaveBeenCalledOnce();
    seek.mockRestore();
  });

  it('end where plain TypeScript ends, in pixels and in words, whatever stands where its window ends', async () => {
    const files = await Promise.all([noise('4:2:0', 30), noise('4:4:4', 30), noise('4:2:0', 60)]);
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.constantFrom<JpegOutputSide>(8, 4, 2, 1),
        damage,
        (file, side, { kind, at, value }) => {
          const scan = file.findLastIndex((byte, i) => byte === 0xff && file[i + 1] === 0xda) + 14;
          const bytes = file.slice(0, kind === 'cut' ? scan + at : undefined);
          if (kind === 'set' && scan + at + value.length < bytes.length) bytes.set(value, scan + at);
          const outcome = expectSame(bytes, side);
          outcomes.add(typeof outcome === 'string' ? outcome : 'decoded');
        },
      ),
      { numRuns: 300 },
    );
    // Otherwise it is not known whether the errors are the same.
    expect(outcomes.size).toBeGreaterThan(2);
  });
});
