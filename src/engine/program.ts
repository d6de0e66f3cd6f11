import { locate, storedZero, windowStart, writeConvDescriptor } from './conv-descriptor.ts';
import { buildDenseHead } from './dense-head.ts';
import { convDescriptorBytes, type KernelTraits } from './kernel-layout.ts';
import type { MemoryLayout } from './memory-layout.ts';
import type { Plan, PlanOperator, PlanTensor } from './plan.ts';
import type { Step } from './step.ts';
import { strassenOf } from './strassen-block.ts';
import { winogradOf } from './winograd-tiles.ts';

type Convolve = Extract<PlanOperator, { type: 'convolve' }>;
type Kernel = (...args: number[]) => void;

/** A kernel set's exports; every argument is an address, a size or a float32. */
export interface Kernels {
  readonly convolve: Kernel;
  readonly quantize_input: Kernel;
  readonly convolve_grouped: Kernel;
  readonly max_pool: Kernel;
  readonly average_pool: Kernel;
  readonly global_average_pool: Kernel;
  readonly classify: Kernel;
  readonly fill_border: Kernel;
  readonly convolve_winograd_2: Kernel;
  readonly convolve_winograd_4: Kernel;
  readonly convolve_winograd_7: Kernel;
  readonly convolve_winograd_14: Kernel;
  /** The plain set alone has these. */
  readonly convolve_winograd_2_strided?: Kernel;
  readonly convolve_winograd_4_strided?: Kernel;
  readonly convolve_winograd_3?: Kernel;
  readonly convolve_strassen?: Kernel;
  /** The relaxed set alone has these. */
  readonly adopt_weights?: Kernel;
  readonly probe_dot?: Kernel;
}

/** @param module the compiled `kernels-*.wasm`. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  // What a module exports has no type. These two are generated from kernels/, and `npm test` says if not.
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}

/** Where a program runs. */
export interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly layout: MemoryLayout;
  readonly kernels: Kernels;
  readonly traits: KernelTraits;
}

/** Turns a plan into calls, one an operator, and writes the descriptors they need. */
export function buildProgram(plan: Plan, machine: Machine): Step[] {
  return plan.operators.map((operator, index) => {
    const step = buildStep(operator, machine.layout.descriptors + index * convDescriptorBytes, plan, machine);
    // Tensors share memory, so a border is written anew each time, before what it surrounds.
    const border = 'target' in operator && buildBorder(plan.tensors[operator.target]!, machine);
    if (!border) return step;
    return () => {
      border();
      step();
    };
  });
}

function buildBorder(tensor: PlanTensor, { layout, kernels }: Machine): Step | undefined {
  const { height, width, pad, border, zero_point } = tensor;
  if (Math.max(pad.top, pad.left, pad.bottom, pad.right) === 0) return undefined;
  const { start, rowBytes, pixelBytes } = locate(tensor, layout);
  const top = pad.top * rowBytes + pad.left * pixelBytes;
  const edge = (pad.left + pad.right) * pixelBytes;
  const bottom = pad.right * pixelBytes + pad.bottom * rowBytes;
  const fill = storedZero(zero_point, layout) - (border === 'lowest' ? zero_point : 0);
  const pattern = layout.elementBytes === 1 ? fill * 0x01010101 : (fill & 0xffff) * 0x00010001;
  // The kernel fills from behind the interior of one row to the next one's; `width` pixels lie between.
  return () => kernels.fill_border(start, top, width * pixelBytes, edge, height, bottom, pattern);
}

export function kernelOf(operator: Convolve, kernels: Kernels, traits: KernelTraits): Kernel {
  if (operator.grouped) return kernels.convolve_grouped;
  const winograd = winogradOf(operator, traits);
  if (winograd) {
    const { side } = winograd;
    const isStrided = operator.stride[0] === 2 && (side === 2 || side === 4);
    const name = isStrided ? (`${side}_strided` as const) : side;
    return kernels[`convolve_winograd_${name}`] ?? kernels.convolve;
  }
  return (strassenOf(operator, traits) && kernels.convolve_strassen) || kernels.convolve;
}

function buildStep(operator: PlanOperator, descriptor: number, plan: Plan, machine: Machine): Step {
  const { memory, layout, kernels, traits } = machine;
  const tensor = (id: number) => plan.tensors[id]!;
  switch (operator.type) {
    case 'quantize_input': {
      const { height, width } = plan.input;
      const target = locate(tensor(operator.target), layout);
      const { scale, zero_point } = operator;
      const zero = storedZero(zero_point, layout);
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
          zero,
        );
    }
    case 'convolve': {
      writeConvDescriptor(memory, descriptor, operator, plan, layout);
      const kernel = kernelOf(operator, kernels, traits);
      return () => kernel(descriptor);
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
    case 'average_pool': {
      const { kernel, stride, pads, scale, result_scale, low, high } = operator;
      const [from, to] = [tensor(operator.source), tensor(operator.target)];
      const [source, target] = [locate(from, layout), locate(to, layout)];
      const base = to.zero_point - storedZero(to.zero_point, layout);
      return () =>
        kernels.average_pool(
          source.interior,
          target.interior,
          to.height,
          to.width,
          to.channels,
          source.rowBytes,
          target.rowBytes,
          ...[...kernel, ...stride, ...pads],
          from.height,
          from.width,
          storedZero(from.zero_point, layout),
          base,
          scale,
          result_scale,
          to.zero_point,
          low,
          high,
        );
    }
    case 'global_average_pool': {
      const { height, width, channels, zero_point } = tensor(operator.source);
      const source = locate(tensor(operator.source), layout);
      const target = locate(tensor(operator.target), layout);
      const { multiplier, low, high } = operator;
      const start = -storedZero(zero_point, layout) * height * width;
      const zero = storedZero(tensor(operator.target).zero_point, layout);
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
          start,
          zero,
        );
    }
    case 'dense_head':
      return buildDenseHead(operator, plan, memory, layout);
    case 'classify': {
      const source = locate(tensor(operator.source), layout).interior;
      const [weights, bias, multiplier] = [operator.weights, operator.bias, operator.multiplier].map(
        (part) => layout.parts[part],
      ) as [number, number, number];
      return () =>
        kernels.classify(source, weights, bias, multiplier, layout.logits, operator.classes, operator.length);
    }
  }
}
