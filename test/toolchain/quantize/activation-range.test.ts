import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createActivationHistogram } from '../../../src/toolchain/quantize/activation-histogram.ts';
import { toActivationRange } from '../../../src/toolchain/quantize/activation-range.ts';
import { roundHalfEven, toUInt8Parameters } from '../../../src/toolchain/quantize/quantize-values.ts';

/** Activations as networks have them: many zeros, either sign or one, and now and then a large one. */
const anyValue = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: -40, max: 40 }).map((value) => value / 8) },
  { weight: 1, arbitrary: fc.integer({ min: -4000, max: 4000 }) },
);
const anyTensor = fc.oneof(
  fc.array(anyValue, { minLength: 1, maxLength: 60 }),
  fc.array(anyValue.map(Math.abs), { minLength: 1, maxLength: 60 }),
  fc.array(
    anyValue.map((value) => 0 - Math.abs(value)),
    { minLength: 1, maxLength: 60 },
  ),
);

function toHistogram(tensors: readonly (readonly number[])[]) {
  const histogram = createActivationHistogram();
  for (const tensor of tensors) histogram.add(Float32Array.from(tensor));
  return histogram;
}

describe('a histogram', () => {
  test('has each value in the bin that its definition names, however often the bins have widened', () => {
    fc.assert(
      fc.property(fc.array(anyTensor, { minLength: 1, maxLength: 6 }), (tensors) => {
        const histogram = toHistogram(tensors);
        const values = tensors.flat();
        expect(histogram.total).toBe(values.length);
        expect(histogram.zeros).toBe(values.filter((value) => value === 0).length);
        expect(histogram.min).toBeCloseTo(Math.min(...values), 10);
        expect(histogram.max).toBeCloseTo(Math.max(...values), 10);
        const counts = new Float64Array(histogram.counts.length);
        for (const value of values) {
          if (value !== 0) counts[Math.floor(value / histogram.binWidth) + counts.length / 2]!++;
        }
        expect(histogram.counts).toEqual(counts);
      }),
    );
  });

  test('begins with bins that the first tensor fills, and doubles them for a larger value', () => {
    const histogram = createActivationHistogram();
    histogram.add(Float32Array.of(-8191, 3));
    expect(histogram.binWidth).toBe(1);
    histogram.add(Float32Array.of(8191));
    expect(histogram.binWidth).toBe(1);
    histogram.add(Float32Array.of(8192));
    expect(histogram.binWidth).toBe(2);
    histogram.add(Float32Array.of(70_000));
    expect(histogram.binWidth).toBe(16);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuses %s by its place',
    (value) => {
      expect(() => toHistogram([[1, 2, value]])).toThrow(
        new RangeError(`element 2 of the activation is ${value}`),
      );
    },
  );
});

describe('the percentile range', () => {
  test('leaves out as much as its share allows at each end, and not a bin more', () => {
    const anyPercentile = fc.constantFrom(25, 50, 75, 87.5, 93.75, 100);
    fc.assert(
      fc.property(anyTensor, anyPercentile, (values, percentile) => {
        const histogram = toHistogram([values]);
        const { min, max } = toActivationRange(histogram, 'percentile', percentile);
        const { binWidth } = histogram;
        if (binWidth === 0) {
          expect(Math.abs(min) + Math.abs(max)).toBe(0);
          return;
        }
        const cut = (values.length * (1 - percentile / 100)) / 2;
        const count = (holds: (value: number) => boolean) => values.filter(holds).length;
        expect(count((value) => value < min)).toBeLessThanOrEqual(cut);
        expect(count((value) => value > max)).toBeLessThanOrEqual(cut);
        // One bin further would cost more than the share. Zeros lie in no bin: between the negative and the positive.
        const binOf = (value: number) => Math.floor(value / binWidth);
        const lowest = min === histogram.min ? binOf(min) : Math.round(min / binWidth);
        expect(count((value) => (value === 0 ? lowest >= 0 : binOf(value) <= lowest))).toBeGreaterThan(cut);
        // An upper end of 0 may have the zeros behind it: the bin below is next.
        const isLast = max !== 0 && max === histogram.max;
        const highest = isLast ? binOf(max) : Math.round(max / binWidth) - 1;
        expect(count((value) => (value === 0 ? max <= 0 : binOf(value) >= highest))).toBeGreaterThan(cut);
      }),
      { numRuns: 300 },
    );
  });

  test.each([0, -1, 100.5, Number.NaN])('refuses %s per cent', (percentile) => {
    expect(() => toActivationRange(toHistogram([[1]]), 'percentile', percentile)).toThrow(
      new RangeError(`percentile must be above 0 and at most 100, got: ${percentile}`),
    );
  });

  test('of nothing is refused, and of 100 % is all', () => {
    expect(() => toActivationRange(createActivationHistogram(), 'minmax', 99)).toThrow(
      new RangeError('the histogram holds no values'),
    );
    expect(toActivationRange(toHistogram([[-3, 0, 5]]), 'percentile', 100)).toEqual({ min: -3, max: 5 });
  });

  test.each([
    // Of ten values one at each end may go; where all that is negative goes, the end is the zeros.
    { values: [-9, 0, 0, 0, 0, 0, 0, 0, 5, 8191], min: 0, max: 6 },
    // The zeros go as well: the end is the first positive value.
    { values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 8191], min: 1, max: 9 },
    { values: [-8191, -8, -7, -6, -5, -4, -3, -2, -1, 0], min: -8, max: 0 },
  ])('of $values', ({ values, min, max }) => {
    expect(toActivationRange(toHistogram([values]), 'percentile', 75)).toEqual({ min, max });
  });
});

describe('the range of least squared error', () => {
  test('is as good as the best of a search over all ends, on values that 256 steps cannot hold', () => {
    const values = Array.from({ length: 3000 }, (_, i) => Math.tan(((i - 1400) / 3000) * 3.05) / 4);
    const toError = (range: { min: number; max: number }) => {
      const { scale, zeroPoint } = toUInt8Parameters(range);
      return values.reduce((sum, value) => {
        const quantized = Math.max(0, Math.min(255, roundHalfEven(value / scale) + zeroPoint));
        return sum + (value - scale * (quantized - zeroPoint)) ** 2;
      }, 0);
    };
    const histogram = toHistogram([values]);
    const found = toActivationRange(histogram, 'mse', 99);
    let least = Number.POSITIVE_INFINITY;
    for (let low = 1; low <= 50; low++) {
      for (let high = 1; high <= 50; high++) {
        least = Math.min(
          least,
          toError({ min: (histogram.min * low) / 50, max: (histogram.max * high) / 50 }),
        );
      }
    }
    expect(toError(found)).toBeLessThan(least * 1.02);
  });

  test.each(['max', 'min'] as const)(
    'ends where many values end, and gives one up that is far away: %s',
    (end) => {
      // 100,000 values in each of 930 bins beside 0, and one at the end of 8,192: steps of 8192 / 255 would cost more.
      const counts = new Float64Array(16_384);
      const [first, last] = end === 'max' ? [8192, 16_383] : [8192 - 930, 0];
      counts.fill(1e5, first, first + 930).fill(1, last, last + 1);
      const seen = end === 'max' ? { min: 0, max: 8192 } : { min: -8192, max: 0 };
      const histogram = { ...seen, counts, binWidth: 1, total: 930e5 + 1, zeros: 0, add: () => {} };
      const found = toActivationRange(histogram, 'mse', 99);
      // The first 64 shares that are tried are 128 bins apart.
      expect(Math.abs(Math.abs(found[end]) - 930)).toBeLessThan(6);
    },
  );

  test('holds nothing that was not seen', () => {
    fc.assert(
      fc.property(anyTensor, (values) => {
        const histogram = toHistogram([values]);
        const { min, max } = toActivationRange(histogram, 'mse', 99);
        expect(min).toBeGreaterThanOrEqual(Math.min(histogram.min, 0));
        expect(min).toBeLessThanOrEqual(0);
        expect(max).toBeLessThanOrEqual(Math.max(histogram.max, 0));
        expect(max).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 20 },
    );
  });

  test('has one end where there is one sign', () => {
    const values = Array.from({ length: 500 }, (_, i) => i / 100);
    expect(toActivationRange(toHistogram([values]), 'mse', 99).min).toBe(0);
    const negative = values.map((value) => -value);
    expect(toActivationRange(toHistogram([negative]), 'mse', 99).max).toBe(0);
  });
});
