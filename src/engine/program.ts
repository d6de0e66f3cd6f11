import { locate, windowStart, writeConvDescriptor } from './conv-descriptor.ts';
import { convDescriptorBytes, scratch } from './kernels/layout.ts';
import type { MemoryLayout } from './memory-layout.ts';
import type { Plan, PlanOperator, PlanTensor } from './plan.ts';

/** The kernels' exports; every argument is an address, a size or a float32. */
export type Kernels = Readonly<
  Record<
    | 'convolve'
    | 'convolve_winograd'
    | 'winograd_weights'
    | 'quantize_input'
    | 'max_pool'
    | 'global_average_pool'
    | 'classify'
    | 'fill',
    (...args: number[]) => void
  >
>;

/** One call of a kernel, all addresses resolved. */
export type Step = () => void;

/** Turns a plan into calls, and writes the descriptors they need. */
export function buildProgram(
  plan: Plan,
  layout: MemoryLayout,
  memory: WebAssembly.Memory,
  kernels: Kernels,
): Step[] {
  const steps: Step[] = [];
  for (const [index, operator] of plan.operators.entries()) {
    // Tensors share memory, so a border is written anew each time, before what it surrounds.
    if ('target' in operator) steps.push(...buildBorder(plan.tensors[operator.target]!, layout, kernels));
    steps.push(
      buildStep(operator, layout.descriptors + index * convDescriptorBytes, plan, layout, memory, kernels),
    );
  }
  return steps;
}

function buildBorder(tensor: PlanTensor, layout: MemoryLayout, kernels: Kernels): Step[] {
  const { height, width, channels, pad, fill } = tensor;
  const { start, rowBytes, interior } = locate(tensor, layout);
  const steps: Step[] = [];
  const add = (target: number, bytes: number) => {
    if (bytes > 0) steps.push(() => kernels.fill(target, bytes / 2, fill));
  };
  // Between two rows the right and the left border are one run of memory.
  const edge = (pad.left + pad.right) * channels * 2;
  add(start, pad.top * rowBytes + pad.left * channels * 2);
  for (let row = 0; row < height - 1; row++) add(interior + row * rowBytes + width * channels * 2, edge);
  add(
    interior + (height - 1) * rowBytes + width * channels * 2,
    pad.right * channels * 2 + pad.bottom * rowBytes,
  );
  return steps;
}

function buildStep(
  operator: PlanOperator,
  descriptor: number,
  plan: Plan,
  layout: MemoryLayout,
  memory: WebAssembly.Memory,
  kernels: Kernels,
): Step {
  const tensor = (id: number) => plan.tensors[id]!;
  switch (operator.type) {
    case 'quantize_input': {
      const { height, width } = plan.input;
      const target = locate(tensor(operator.target), layout);
      const { scale, zero_point } = operator;
      return () =>
        kernels.quantize_input(
          layout.image,
          target.interior,
          height,
          width,
          target.rowBytes,
          scale,
          -zero_point,
          255 - zero_point,
        );
    }
    case 'convolve': {
      writeConvDescriptor(memory, descriptor, operator, plan, layout);
      return operator.winograd
        ? () => kernels.convolve_winograd(descriptor)
        : () => kernels.convolve(descriptor);
    }
    case 'max_pool': {
      const { kernel, stride } = operator;
      const { height, width, channels } = tensor(operator.target);
      const source = windowStart(tensor(operator.source), layout, operator.pads);
      const sourceRow = locate(tensor(operator.source), layout).rowBytes;
      const target = locate(tensor(operator.target), layout);
      return () =>
        kernels.max_pool(
          source,
          target.interior,
          height,
          width,
          channels,
          sourceRow,
          target.rowBytes,
          kernel[0],
          kernel[1],
          stride[0],
          stride[1],
        );
    }
    case 'global_average_pool': {
      const { height, width, channels } = tensor(operator.source);
      const source = locate(tensor(operator.source), layout);
      const target = locate(tensor(operator.target), layout);
      const { multiplier, low, high } = operator;
      return () =>
        kernels.global_average_pool(
          source.interior,
          target.interior,
          height,
          width,
          channels,
          source.rowBytes,
          multiplier,
          low,
          high,
        );
    }
    case 'classify': {
      const source = locate(tensor(operator.source), layout).interior;
      const [weights, bias, multiplier] = [operator.weights, operator.bias, operator.multiplier].map(
        (offset) => layout.weights + offset,
      ) as [number, number, number];
      return () =>
        kernels.classify(
          source,
          weights,
          bias,
          multiplier,
          layout.logits,
          operator.classes,
          operator.length,
          scratch.inputs,
          scratch.accumulators,
        );
    }
  }
}
