import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createActivationHistogram } from '../../../src/toolchain/quantize/activation-histogram.ts';
import { toActivationRange } from '../../../src/toolchain/quantize/activation-range.ts';
import {
  quantizeWeights,
  roundHalfEven,
  toUInt8Parameters,
} from '../../../src/toolchain/quantize/quantize-values.ts';
import { createRandom } from './seeded-random.ts';

test('rounds ties to even', () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.4999, -3.7].map(roundHalfEven).map((x) => x + 0)).toEqual([
    0, 2, 2, 0, -2, -2, 2, -4,
  ]);
});

describe('UInt8 parameters', () => {
  test('cover the range, and zero exactly', () => {
    const bound = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(bound, bound, (a, b) => {
        const { scale, zeroPoint } = toUInt8Parameters({ min: Math.min(a, b), max: Math.max(a, b) });
        expect(zeroPoint).toBeGreaterThanOrEqual(0);
        expect(zeroPoint).toBeLessThanOrEqual(255);
        expect(Number.isInteger(zeroPoint)).toBe(true);
        // Half a step at each end: the zero point is rounded.
        expect(scale * (255 - zeroPoint)).toBeGreaterThanOrEqual(Math.max(a, b) - scale * 0.51);
        expect(-scale * zeroPoint).toBeLessThanOrEqual(Math.min(a, b) + scale * 0.51);
      }),
    );
  });

  test('of a tensor that is always zero', () => {
    expect(toUInt8Parameters({ min: 0, max: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
  });

  test('of a tensor that is as good as zero', () => {
    // The least scale that single precision holds with all its digits is 2^-126.
    expect(toUInt8Parameters({ min: 0, max: 255 * 2 ** -126 })).toEqual({ scale: 2 ** -126, zeroPoint: 0 });
    expect(toUInt8Parameters({ min: 0, max: 254 * 2 ** -126 })).toEqual({ scale: 1, zeroPoint: 0 });
  });

  test.each([
    { min: 0, max: Number.POSITIVE_INFINITY },
    { min: -1.5e308, max: 1.5e308 },
    { min: Number.NaN, max: 1 },
  ])('refuse a range that is not finite: $min to $max', ({ min, max }) => {
    expect(() => toUInt8Parameters({ min, max })).toThrow(
      new RangeError(`range must be finite, got: [${min}, ${max}]`),
    );
  });
});

describe('weights', () => {
  test('the largest of a channel becomes 127', () => {
    const { values, scales } = quantizeWeights(
      Float32Array.of(0.5, -1, 0.25, 2, 4, -4),
      new Float32Array(2),
      0.1,
    );
    expect([...values]).toEqual([64, -127, 32, 64, 127, -127]);
    expect([...scales]).toEqual([Math.fround(1 / 127), Math.fround(4 / 127)]);
  });

  test('a bias survives under weights that are tiny or zero', () => {
    const biases = Float32Array.of(3, -0.7, 5);
    const { values, bias, biasScales } = quantizeWeights(
      Float32Array.of(1e-12, -1e-12, 0, 0, 0.5, 1),
      biases,
      0.02,
    );
    biases.forEach((wanted, i) => {
      expect(bias[i]! * biasScales[i]!).toBeCloseTo(wanted, 4);
      // Beside it, an accumulator of 32 bits must not overflow.
      expect(Math.abs(bias[i]!)).toBeLessThanOrEqual(2 ** 30);
    });
    expect([...values.slice(0, 4)]).toEqual([0, 0, 0, 0]);
    // And it is as fine as that allows.
    expect(Math.abs(bias[0]!)).toBeGreaterThan(2 ** 29);
  });

  test('a channel of zeros keeps the digits of its bias, and has a scale of 1 where it has none', () => {
    const { scales, bias, biasScales } = quantizeWeights(new Float32Array(4), Float32Array.of(0.123, 0), 0.5);
    expect(bias[0]! * biasScales[0]!).toBeCloseTo(0.123, 7);
    expect([scales[1], bias[1], biasScales[1]]).toEqual([1, 0, 0.5]);
  });

  test.each([
    { inputScale: 2 ** -10, scale: 2 ** -116 },
    { inputScale: 4, scale: 2 ** -126 },
  ])('a scale keeps its digits, beside an input scale of $inputScale too', ({ inputScale, scale }) => {
    expect(quantizeWeights(Float32Array.of(1e-42), Float32Array.of(0), inputScale).scales[0]).toBe(scale);
  });
});

describe('histogram', () => {
  test('loses no value when its range widens', () => {
    const histogram = createActivationHistogram();
    for (const reach of [1, 0.01, 3, 1000]) {
      histogram.add(Float32Array.from({ length: 100 }, (_, i) => ((i - 50) / 50) * reach));
    }
    const counted = histogram.counts.reduce((sum, count) => sum + count, 0);
    expect(counted + histogram.zeros).toBe(400);
    expect(histogram).toMatchObject({ total: 400, zeros: 4, min: -1000 });
  });

  test('takes a tensor of zeros', () => {
    const histogram = createActivationHistogram();
    histogram.add(new Float32Array(8));
    expect(toActivationRange(histogram, 'percentile', 99)).toEqual({ min: 0, max: 0 });
  });
});

describe('ranges of a normal distribution with one outlier', () => {
  const random = createRandom(3);
  const histogram = createActivationHistogram();
  const values = Float32Array.from({ length: 20_000 }, (_, i) => (i === 0 ? 100 : random.normal()));
  histogram.add(values);

  test('minmax keeps the outlier', () => {
    expect(toActivationRange(histogram, 'minmax', 99).max).toBe(100);
  });

  test('percentile leaves its share out at each end', () => {
    const { min, max } = toActivationRange(histogram, 'percentile', 95);
    // The 2.5 and 97.5 % quantiles of the normal distribution; a bin is 0.012 wide.
    expect(min).toBeCloseTo(-1.96, 1);
    expect(max).toBeCloseTo(1.96, 1);
  });

  test('mse finds the range with the least squared error, on the values themselves', () => {
    const toError = (range: { min: number; max: number }) => {
      const { scale, zeroPoint } = toUInt8Parameters(range);
      return values.reduce((sum, value) => {
        const quantized = Math.max(0, Math.min(255, roundHalfEven(value / scale) + zeroPoint));
        return sum + (value - scale * (quantized - zeroPoint)) ** 2;
      }, 0);
    };
    const found = toError(toActivationRange(histogram, 'mse', 99));
    expect(found).toBeLessThan(toError({ min: histogram.min, max: histogram.max }));
    for (const min of [-2, -3, -4, -4.5]) {
      for (let max = 2; max <= 100; max += 2) expect(found).toBeLessThan(toError({ min, max }) * 1.01);
    }
  });
});
