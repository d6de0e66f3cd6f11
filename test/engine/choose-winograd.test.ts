import { expect, it } from 'vitest';
import type { PlanOperator } from '../../src/engine/plan.ts';
import { chooseWinograd } from '../../src/toolchain/engine-compiler/choose-winograd.ts';
import { largestSum } from '../../src/toolchain/engine-compiler/largest-sum.ts';
import { TensorTable } from '../../src/toolchain/engine-compiler/tensor-table.ts';

/** How a 3 x 3 convolution of stride 1 is done, of 64 channels. */
function choose({
  side,
  sum,
  kernel = 3,
  channels = 64,
}: {
  side: number;
  sum: number;
  kernel?: number;
  channels?: number;
}) {
  const tensors = new TensorTable();
  const source = tensors.add('source', [side, side, channels], 0);
  const target = tensors.add('target', [side, side, 64], 0);
  const conv: PlanOperator = {
    type: 'convolve',
    name: 'conv',
    source,
    target,
    kernel: [kernel, kernel],
    stride: [1, 1],
    pads: [1, 1],
    weights: 0,
    bias: 1,
    multiplier: 2,
    low: 0,
    high: 255,
  };
  const [operator] = chooseWinograd([conv], tensors, new Map([[0, sum]]));
  const winograd = operator?.type === 'convolve' ? operator.winograd : undefined;
  return { side: winograd?.side, sets: winograd?.sets, pad: tensors.get(source).pad };
}

it('takes tiles of 4 only where every sum is below 2^25, and tiles of 2 below 2^29', () => {
  expect(choose({ side: 28, sum: 2 ** 25 - 1 }).side).toBe(4);
  expect(choose({ side: 28, sum: 2 ** 25 }).side).toBe(2);
  expect(choose({ side: 28, sum: 2 ** 29 }).side).toBeUndefined();
});

it('goes the direct way where tiles would be mostly empty, or the kernel is another', () => {
  expect(choose({ side: 2, sum: 1000 }).side).toBeUndefined();
  expect(choose({ side: 28, sum: 1000, kernel: 5 }).side).toBeUndefined();
  expect(choose({ side: 28, sum: 1000, channels: 8 }).side).toBeUndefined();
});

it('uses it on the relaxed kernels only where it beats products of twice the length', () => {
  expect(choose({ side: 7, sum: 1000 }).sets).toEqual(['plain']);
  expect(choose({ side: 28, sum: 1000 }).sets).toEqual(['plain', 'relaxed']);
});

it('makes room for the tiles that reach over the edge', () => {
  // Tiles of 4 take 12 of 11 rows, and windows of 3 two more, one of them before the first.
  expect(choose({ side: 11, sum: 1000 }).pad).toEqual({ top: 1, left: 1, bottom: 2, right: 2 });
  // 7 is 4 and 3.
  expect(choose({ side: 7, sum: 1000 })).toMatchObject({
    side: 7,
    pad: { top: 1, left: 1, bottom: 1, right: 1 },
  });
});

it('bounds sums by the worst image', () => {
  const weights = Int8Array.of(127, -128, 5, 1, 1, -3);
  const worst = (zeroPoint: number) => {
    let largest = 0;
    for (let image = 0; image < 8; image++) {
      const values = [0, 1, 2].map((bit) => (image & (1 << bit) ? 255 : 0) - zeroPoint);
      for (const row of [weights.subarray(0, 3), weights.subarray(3)])
        largest = Math.max(
          largest,
          Math.abs(row.reduce((sum, weight, index) => sum + weight * values[index]!, 0)),
        );
    }
    return largest;
  };
  for (const zeroPoint of [0, 100, 255]) expect(largestSum(weights, 2, zeroPoint)).toBe(worst(zeroPoint));
});
