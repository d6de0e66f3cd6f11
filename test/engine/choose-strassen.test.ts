import { expect, it } from 'vitest';
import { blockPixels } from '../../src/engine/kernel-layout.ts';
import type { PlanOperator } from '../../src/engine/plan.ts';
import { chooseStrassen } from '../../src/toolchain/engine-compiler/choose-strassen.ts';
import { TensorTable } from '../../src/toolchain/engine-compiler/tensor-table.ts';

function choose(side: number, channels: number, outputs: number, kernel = 1) {
  const tensors = new TensorTable();
  const source = tensors.add('source', [side, side, channels], 0);
  const target = tensors.add('target', [side, side, outputs], 0);
  const conv: PlanOperator = {
    type: 'convolve',
    name: 'conv',
    source,
    target,
    kernel: [kernel, kernel],
    stride: [1, 1],
    pads: [0, 0],
    weights: 0,
    bias: 1,
    multiplier: 2,
    low: 0,
    high: 255,
  };
  const [operator] = chooseStrassen([conv], tensors);
  return operator?.type === 'convolve' ? operator.strassen : undefined;
}

it('takes 1 x 1 convolutions of many channels, in equal blocks of an even number of pixels', () => {
  expect(choose(14, 512, 256)).toEqual({ block_pixels: 196 });
  // Two blocks: transformed inputs take half of the L2 cache.
  expect(choose(14, 1024, 256)).toEqual({ block_pixels: 98 });
  expect(choose(7, 2048, 512)).toEqual({ block_pixels: 50 });
  const { block_pixels } = choose(56, 256, 64 * 2)!;
  expect(block_pixels % 2).toBe(0);
  expect(block_pixels).toBeLessThanOrEqual(blockPixels);
});

it('goes the direct way where additions take as much as it saves, or channels do not halve', () => {
  expect(choose(56, 64, 64)).toBeUndefined();
  expect(choose(7, 256, 512)).toBeUndefined();
  expect(choose(56, 72, 256)).toBeUndefined();
  expect(choose(56, 256, 136)).toBeUndefined();
  expect(choose(56, 256, 64)).toBeDefined();
  expect(choose(56, 256, 256, 3)).toBeUndefined();
});
