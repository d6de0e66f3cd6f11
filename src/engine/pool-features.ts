import { locate } from './conv-descriptor.ts';
import type { MemoryLayout } from './memory-layout.ts';
import type { Plan, PlanFeature } from './plan.ts';
import type { Step } from './step.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * The features of a block: the mean of its output over all positions, one value a channel. Sums of integers are exact, and
 * each mean is rounded to float32 once, so that every CPU gives the same bits.
 *
 * @param out as long as the block has channels.
 * @returns a step to be run right after the block's last operator, because tensors share memory.
 */
export function buildFeaturePool(
  { tensor: id, channels, scale }: PlanFeature,
  plan: Plan,
  memory: WebAssembly.Memory,
  layout: MemoryLayout,
  out: Float32Array,
): Step {
  const tensor = plan.tensors[id]!;
  const { height, width, zero_point } = tensor;
  const { interior, rowBytes, pixelBytes } = locate(tensor, layout);
  const isWide = layout.elementBytes === 2;
  // int16 are centred; U8 hold their zero point.
  const elements = isWide ? new Int16Array(memory.buffer) : new Uint8Array(memory.buffer);
  const [first, row, pixel] = [interior, rowBytes, pixelBytes].map(
    (bytes) => bytes / layout.elementBytes,
  ) as [number, number, number];
  const count = height * width;
  const zeros = isWide ? 0 : count * zero_point;
  const sums = new Int32Array(channels);
  return () => {
    sums.fill(0);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = first + y * row + x * pixel;
        for (let channel = 0; channel < channels; channel++) sums[channel]! += elements[at + channel]!;
      }
    }
    for (let channel = 0; channel < channels; channel++) {
      out[channel] = toFeature(sums[channel]! - zeros, count, scale);
    }
  };
}

/**
 * @param sum of a channel's activations less their zero points.
 * @param count of positions.
 * @returns float32.
 */
export function toFeature(sum: number, count: number, scale: number): number {
  return Math.fround((sum * scale) / count);
}
