import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binKernel,
  kernelEnd,
  kernelOverlap,
  kernelStart,
  mirrorKernel,
  precisionBits,
  type ResampleKernel,
  toPairedWeights,
  toResampleKernel,
} from '../../../src/image/resample/filter.ts';
import { lowBits, weightTableBytes, writeWeightTable } from '../../../src/image/resample/weight-table.ts';
import { fuzz } from '../../fuzz.ts';

/** Input and weight of each tap, output by output. */
const tapsOf = ({ count, start, length, offset, weights }: ResampleKernel) =>
  Array.from({ length: count }, (_, i) =>
    Array.from({ length: length[i]! }, (_, tap) => [start[i]! + tap, weights[offset[i]! + tap]!] as const),
  );
/** Without taps of no weight, which say nothing. */
const weighing = (taps: ReturnType<typeof tapsOf>) =>
  taps.map((own) => own.filter(([, weight]) => weight !== 0));

const cases = fc
  .record({
    inputSize: fc.integer({ min: 1, max: 300 }),
    outputSize: fc.integer({ min: 1, max: 120 }),
    interpolation: fc.constantFrom('bilinear' as const, 'bicubic' as const),
    first: fc.double({ min: 0, max: 0.99, noNaN: true }),
    part: fc.double({ min: 0.01, max: 1, noNaN: true }),
  })
  .map(({ inputSize, outputSize, interpolation, first, part }) => {
    const begin = Math.floor(first * outputSize);
    const count = Math.max(1, Math.floor((outputSize - begin) * part));
    return { inputSize, kernel: toResampleKernel(inputSize, outputSize, begin, count, interpolation) };
  });
const check = (property: (given: { inputSize: number; kernel: ResampleKernel }) => void) =>
  fc.assert(fc.property(cases, property), fuzz(300));

describe('a resampling kernel', () => {
  // Worked out by hand from the two filters; that whole crops are Pillow's is tested in resamples.test.ts.
  it('has the weights of the filters, which sum to one', () => {
    const one = 1 << precisionBits;
    // Half the size: a tent over four inputs, 1/8 3/8 3/8 1/8; at the edge what is left of it, in proportion.
    expect(tapsOf(toResampleKernel(8, 4, 0, 4, 'bilinear'))).toEqual([
      [
        [0, Math.round((one * 3) / 7)],
        [1, Math.round((one * 3) / 7)],
        [2, Math.round(one / 7)],
      ],
      [
        [1, one / 8],
        [2, (one * 3) / 8],
        [3, (one * 3) / 8],
        [4, one / 8],
      ],
      [
        [3, one / 8],
        [4, (one * 3) / 8],
        [5, (one * 3) / 8],
        [6, one / 8],
      ],
      [
        [5, Math.round(one / 7)],
        [6, Math.round((one * 3) / 7)],
        [7, Math.round((one * 3) / 7)],
      ],
    ]);
    // Twice the size: linear between neighbours, and cubic with a = -1/2 over four of them.
    expect(tapsOf(toResampleKernel(4, 8, 3, 1, 'bilinear'))).toEqual([
      [
        [1, (one * 3) / 4],
        [2, one / 4],
      ],
    ]);
    expect(tapsOf(toResampleKernel(4, 8, 3, 1, 'bicubic'))).toEqual([
      [
        [0, Math.round(-0.0703125 * one)],
        [1, Math.round(0.8671875 * one)],
        [2, Math.round(0.2265625 * one)],
        [3, Math.round(-0.0234375 * one)],
      ],
    ]);
    check(({ inputSize, kernel }) => {
      for (const taps of tapsOf(kernel)) {
        const sum = taps.reduce((total, [, weight]) => total + weight, 0);
        expect(Math.abs(sum - one)).toBeLessThanOrEqual(taps.length);
        for (const [input] of taps) expect(input >= 0 && input < inputSize).toBe(true);
      }
    });
  });

  it('of the same size copies', () => {
    expect(weighing(tapsOf(toResampleKernel(5, 5, 1, 3, 'bilinear')))).toEqual(
      [1, 2, 3].map((input) => [[input, 1 << precisionBits]]),
    );
  });

  it('of a part is that part of the whole', () => {
    for (const interpolation of ['bilinear', 'bicubic'] as const) {
      const whole = tapsOf(toResampleKernel(100, 37, 0, 37, interpolation));
      expect(tapsOf(toResampleKernel(100, 37, 9, 11, interpolation))).toEqual(whole.slice(9, 20));
    }
  });

  it('mirrored, reads the same inputs from the other end', () => {
    check(({ inputSize, kernel }) => {
      const before = tapsOf(kernel).flat();
      const turned = tapsOf(kernel)
        .map((taps) => taps.map(([input, weight]) => [inputSize - 1 - input, weight] as const).reverse())
        .reverse();
      expect(tapsOf(mirrorKernel(kernel, inputSize))).toEqual(turned);
      expect(tapsOf(kernel).flat()).toEqual(before);
      expect(tapsOf(mirrorKernel(mirrorKernel(kernel, inputSize), inputSize))).toEqual(tapsOf(kernel));
    });
  });

  it.each([1, 2, 3, 8])('over cells of %i samples has the sums of their weights', (cellSize) => {
    check(({ kernel }) => {
      const sums = tapsOf(kernel).map((taps) => {
        const cells = new Map<number, number>();
        for (const [input, weight] of taps) {
          const cell = Math.floor(input / cellSize);
          cells.set(cell, (cells.get(cell) ?? 0) + weight);
        }
        return [...cells];
      });
      expect(tapsOf(binKernel(kernel, cellSize))).toEqual(sums);
    });
  });

  it('knows its first and last input, and how many outputs one of them is part of', () => {
    check(({ kernel }) => {
      const taps = tapsOf(kernel);
      const inputs = taps.flat().map(([input]) => input);
      expect(kernelStart(kernel)).toBe(Math.min(...inputs));
      expect(kernelEnd(kernel)).toBe(Math.max(...inputs) + 1);
      const counts = new Map<number, number>();
      for (const input of inputs) counts.set(input, (counts.get(input) ?? 0) + 1);
      expect(kernelOverlap(kernel)).toBe(Math.max(...counts.values()));
    });
  });

  it('in pairs has, for each input, its weights in the outputs that it is part of', () => {
    let paired = 0;
    check(({ kernel }) => {
      const pairs = toPairedWeights(kernel);
      expect(pairs === undefined).toBe(kernelOverlap(kernel) > 2);
      if (!pairs) return;
      paired++;
      const begin = kernelStart(kernel);
      const seen: (readonly [number, number])[][] = tapsOf(kernel).map(() => []);
      let output = 0;
      for (let x = begin; x < kernelEnd(kernel); x++) {
        while (kernel.start[output]! + kernel.length[output]! <= x) output++;
        seen[output]!.push([x, pairs[(x - begin) * 2]!]);
        const next = pairs[(x - begin) * 2 + 1]!;
        if (output + 1 < kernel.count) seen[output + 1]!.push([x, next]);
        else expect(next).toBe(0);
      }
      expect(pairs).toHaveLength((kernelEnd(kernel) - begin) * 2);
      expect(weighing(seen)).toEqual(weighing(tapsOf(kernel)));
    });
    expect(paired).toBeGreaterThan(10);
  });
});

describe('a table of weights', () => {
  it('holds each output’s place, its groups of four taps, and the parts of their weights', () => {
    check(({ kernel }) => {
      const bytes = weightTableBytes(kernel);
      const at = 8;
      const view = new DataView(new ArrayBuffer(at + bytes + 4));
      writeWeightTable(kernel, view, at);
      let from = at;
      for (const taps of tapsOf(kernel)) {
        expect(view.getInt32(from, true)).toBe(taps[0]![0] * 3);
        const groups = view.getInt32(from + 4, true);
        expect(groups).toBe(Math.ceil(taps.length / 4));
        from += 8;
        for (let tap = 0; tap < groups * 4; tap++) {
          const place = from + Math.floor(tap / 4) * 16 + (tap % 4) * 2;
          const [high, low] = [view.getInt16(place, true), view.getInt16(place + 8, true)];
          expect(low >= 0 && low < 1 << lowBits).toBe(true);
          expect(high * (1 << lowBits) + low).toBe(taps[tap]?.[1] ?? 0);
        }
        from += groups * 16;
      }
      expect(from).toBe(at + bytes);
      expect(view.getUint32(from, true)).toBe(0);
    });
  });
});
