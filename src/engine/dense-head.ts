import { locate } from './conv-descriptor.ts';
import type { MemoryLayout } from './memory-layout.ts';
import type { Plan, PlanOperator, PlanTensor } from './plan.ts';
import { toFeature } from './pool-features.ts';
import type { Step } from './step.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

type DenseHead = Extract<PlanOperator, { type: 'dense_head' }>;

/**
 * A head of several layers over the pooled features, in floats, because it is tiny beside the network. Sums are made in
 * double precision, in a fixed order, and each value is rounded to float32 once, so that every CPU gives the same bits.
 * ONNX Runtime adds in another order; logits agree with its logits to about six digits.
 */
export function buildDenseHead(
  { source, scale, channels, pools, layers }: DenseHead,
  plan: Plan,
  memory: WebAssembly.Memory,
  layout: MemoryLayout,
): Step {
  const readChannels = buildReader(plan.tensors[source]!, memory, layout, channels);
  const built = layers.map(({ weights, bias, relu }) => ({
    weights: toFloats(weights),
    bias: toFloats(bias),
    relu,
  }));
  function toFloats(part: number): Float32Array {
    return new Float32Array(memory.buffer, layout.parts[part]!, plan.parts[part]!.bytes / 4);
  }
  const logits = new Float32Array(memory.buffer, layout.logits, plan.output.classes);
  return () => {
    const { sums, largest, count } = readChannels();
    let values = new Float32Array(channels * pools.length);
    for (const [pool, kind] of pools.entries()) {
      for (let channel = 0; channel < channels; channel++) {
        values[pool * channels + channel] =
          kind === 'mean' ? toFeature(sums[channel]!, count, scale) : Math.fround(largest[channel]! * scale);
      }
    }
    for (const layer of built) values = runLayer(values, layer);
    logits.set(values);
  };
}

function runLayer(
  inputs: Float32Array,
  {
    weights,
    bias,
    relu,
  }: { readonly weights: Float32Array; readonly bias: Float32Array; readonly relu: boolean },
): Float32Array<ArrayBuffer> {
  const outputs = new Float32Array(bias.length);
  for (let output = 0; output < outputs.length; output++) {
    const row = output * inputs.length;
    let sum = bias[output]!;
    for (let i = 0; i < inputs.length; i++) sum += weights[row + i]! * inputs[i]!;
    outputs[output] = relu && sum < 0 ? 0 : sum;
  }
  return outputs;
}

/** Reads the sums and maxima of a tensor's channels over all positions, of values minus their zero point. */
function buildReader(
  { height, width, zero_point, ...tensor }: PlanTensor,
  memory: WebAssembly.Memory,
  layout: MemoryLayout,
  channels: number,
) {
  const place = locate({ height, width, zero_point, ...tensor }, layout);
  const isWide = layout.elementBytes === 2;
  // int16 are centred; U8 hold their zero point.
  const elements = isWide ? new Int16Array(memory.buffer) : new Uint8Array(memory.buffer);
  const zero = isWide ? 0 : zero_point;
  const [first, row, pixel] = [place.interior, place.rowBytes, place.pixelBytes].map(
    (bytes) => bytes / layout.elementBytes,
  ) as [number, number, number];
  const sums = new Int32Array(channels);
  const largest = new Int32Array(channels);
  return () => {
    sums.fill(0);
    largest.fill(-256);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = first + y * row + x * pixel;
        for (let channel = 0; channel < channels; channel++) {
          const value = elements[at + channel]! - zero;
          sums[channel]! += value;
          if (value > largest[channel]!) largest[channel] = value;
        }
      }
    }
    return { sums, largest, count: height * width };
  };
}
