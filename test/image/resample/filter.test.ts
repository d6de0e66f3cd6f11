import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binFilter,
  filterEnd,
  filterOverlap,
  filterStart,
  mirrorFilter,
  precisionBits,
  type ResampleFilter,
  toPairedWeights,
  toResampleFilter,
} from '../../../src/image/resample/filter.ts';
import { lowBits, weightTableBytes, writeWeightTable } from '../../../src/image/resample/weight-table.ts';
import { fuzz } from '../../fuzz.ts';

/** Input and weight of each tap, output by output. */
const tapsOf = ({ count, start, length, offset, weights }: ResampleFilter) =>
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
    return { inputSize, routine: toResampleFilter(inputSize, outputSize, begin, count, interpolation) };
  });
const check = (property: (given: { inputSize: number; routine: ResampleFilter }) => void) =>
  fc.assert(fc.property(cases, property), fuzz(300));

describe('a resampling routine', () => {
  // Worked out by hand from the two filters; that whole crops are Pillow's is tested in resamples.test.ts.
  it('has the weights of the filters, which sum to one', () => {
    const one = 1 << precisionBits;
    // Half the size: a tent over four inputs, 1/8 3/8 3/8 1/8; at the edge what is left of it, in proportion.
    expect(tapsOf(toResampleFilter(8, 4, 0, 4, 'bilinear'))).toEqual([
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
    expect(tapsOf(toResampleFilter(4, 8, 3, 1, 'bilinear'))).toEqual([
      [
        [1, (one * 3) / 4],
        [2, one / 4],
      ],
    ]);
    expect(tapsOf(toResampleFilter(4, 8, 3, 1, 'bicubic'))).toEqual([
      [
        [0, Math.round(-0.0703125 * one)],
        [1, Math.round(0.8671875 * one)],
        [2, Math.round(0.2265625 * one)],
        [3, Math.round(-0.0234375 * one)],
      ],
    ]);
    check(({ inputSize, routine }) => {
      for (const taps of tapsOf(routine)) {
        const sum = taps.reduce((total, [, weight]) => total + weight, 0);
        expect(Math.abs(sum - one)).toBeLessThanOrEqual(taps.length);
        for (const [input] of taps) expect(input >= 0 && input < inputSize).toBe(true);
      }
    });
  });

  it('of the same size copies', () => {
    expect(weighing(tapsOf(toResampleFilter(5, 5, 1, 3, 'bilinear')))).toEqual(
      [1, 2, 3].map((input) => [[input, 1 << precisionBits]]),
    );
  });

  it('of a part is that part of the whole', () => {
    for (const interpolation of ['bilinear', 'bicubic'] as const) {
      const whole = tapsOf(toResampleFilter(100, 37, 0, 37, interpolation));
      expect(tapsOf(toResampleFilter(100, 37, 9, 11, interpolation))).toEqual(whole.slice(9, 20));
    }
  });

  it('mirrored, reads the same inputs from the other end', () => {
    check(({ inputSize, routine }) => {
      const before = tapsOf(routine).flat();
      const turned = tapsOf(routine)
        .map((taps) => taps.map(([input, weight]) => [inputSize - 1 - input, weight] as const).reverse())
        .reverse();
      expect(tapsOf(mirrorFilter(routine, inputSize))).toEqual(turned);
      expect(tapsOf(routine).flat()).toEqual(before);
      expect(tapsOf(mirrorFilter(mirrorFilter(routine, inputSize), inputSize))).toEqual(tapsOf(routine));
    });
  });

  it.each([1, 2, 3, 8])('over cells of %i samples has the sums of their weights', (cellSize) => {
    check(({ routine }) => {
      const sums = tapsOf(routine).map((taps) => {
        const cells = new Map<number, number>();
        for (const [input, weight] of taps) {
          const cell = Math.floor(input / cellSize);
          cells.set(cell, (cells.get(cell) ?? 0) + weight);
        }
        return [...cells];
      });
      expect(tapsOf(binFilter(routine, cellSize))).toEqual(sums);
    });
  });

  it('knows its first and last input, and how many outputs one of them is part of', () => {
    check(({ routine }) => {
      const taps = tapsOf(routine);
      const inputs = taps.flat().map(([input]) => input);
      expect(filterStart(routine)).toBe(Math.min(...inputs));
      expect(filterEnd(routine)).toBe(Math.max(...inputs) + 1);
      const counts = new Map<number, number>();
      for (const input of inputs) counts.set(input, (counts.get(input) ?? 0) + 1);
      expect(filterOverlap(routine)).toBe(Math.max(...counts.values()));
    });
  });

  it('in pairs has, for each input, its weights in the outputs that it is part of', () => {
    let paired = 0;
    check(({ routine }) => {
      const pairs = toPairedWeights(routine);
      expect(pairs === undefined).toBe(filterOverlap(routine) > 2);
      if (!pairs) return;
      paired++;
      const begin = filterStart(routine);
      const seen: (readonly [number, number])[][] = tapsOf(routine).map(() => []);
      let output = 0;
      for (let x = begin; x < filterEnd(routine); x++) {
        while (routine.start[output]! + routine.length[output]! <= x) output++;
        seen[output]!.push([x, pairs[(x - begin) * 2]!]);
        const next = pairs[(x - begin) * 2 + 1]!;
        if (output + 1 < routine.count) seen[output + 1]!.push([x, next]);
        else expect(next).toBe(0);
      }
      expect(pairs).toHaveLength((filterEnd(routine) - begin) * 2);
      expect(weighing(seen)).toEqual(weighing(tapsOf(routine)));
    });
    expect(paired).toBeGreaterThan(10);
  });
});

describe('a table of weights', () => {
  it('holds each output’s place, its groups of four taps, and the parts of their weights', () => {
    check(({ routine }) => {
      const bytes = weightTableBytes(routine);
      const at = 8;
      const view = new DataView(new ArrayBuffer(at + bytes + 4));
      writeWeightTable(routine, view, at);
      let from = at;
      for (const taps of tapsOf(routine)) {
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
