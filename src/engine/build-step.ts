import { locate, storedZero, windowStart, writeConvDescriptor } from './conv-descriptor.ts';
import { buildDenseHead } from './dense-head.ts';
import type { KernelTraits } from './kernel-layout.ts';
import type { Kernel, Kernels, Machine } from './machine.ts';
import type { Plan, PlanOperator } from './plan.ts';
import type { Step } from './step.ts';
import { strassenOf } from './strassen-block.ts';
import { winogradOf } from './winograd-tiles.ts';

type Operator<Type extends PlanOperator['type']> = Extract<PlanOperator, { type: Type }>;
type Convolve = Operator<'convolve'>;

/** @param descriptor address at which a convolution's descriptor is written. */
export function buildStep(operator: PlanOperator, descriptor: number, plan: Plan, machine: Machine): Step {
  switch (operator.type) {
    case 'quantize_input':
      return buildQuantizeInput(operator, plan, machine);
    case 'convolve':
      return buildConvolve(operator, descriptor, plan, machine);
    case 'max_pool':
      return buildMaxPool(operator, plan, machine);
    case 'average_pool':
      return buildAveragePool(operator, plan, machine);
    case 'global_average_pool':
      return buildGlobalAveragePool(operator, plan, machine);
    case 'dense_head':
      return buildDenseHead(operator, plan, machine.memory, machine.layout);
    case 'classify':
      return buildClassify(operator, plan, machine);
  }
}

function buildQuantizeInput(
  operator: Operator<'quantize_input'>,
  plan: Plan,
  { layout, kernels }: Machine,
): Step {
  const { height, width } = plan.input;
  const target = locate(plan.tensors[operator.target]!, layout);
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

/** The kernel that runs a convolution: by its groups, by Winograd, by Strassen, or directly. */
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

function buildConvolve(
  operator: Convolve,
  descriptor: number,
  plan: Plan,
  { memory, layout, kernels, traits }: Machine,
): Step {
  writeConvDescriptor(memory, descriptor, operator, plan, layout);
  const kernel = kernelOf(operator, kernels, traits);
  return () => kernel(descriptor);
}

function buildMaxPool(operator: Operator<'max_pool'>, plan: Plan, { layout, kernels }: Machine): Step {
  const { kernel, stride } = operator;
  const { height, width, channels } = plan.tensors[operator.target]!;
  const source = windowStart(plan.tensors[operator.source]!, layout, operator.pads);
  const sourceRow = locate(plan.tensors[operator.source]!, layout).rowBytes;
  const target = locate(plan.tensors[operator.target]!, layout);
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

function buildAveragePool(
  operator: Operator<'average_pool'>,
  plan: Plan,
  { layout, kernels }: Machine,
): Step {
  const { kernel, stride, pads, scale, result_scale, low, high } = operator;
  const [from, to] = [plan.tensors[operator.source]!, plan.tensors[operator.target]!];
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

function buildGlobalAveragePool(
  operator: Operator<'global_average_pool'>,
  plan: Plan,
  { layout, kernels }: Machine,
): Step {
  const { height, width, channels, zero_point } = plan.tensors[operator.source]!;
  const source = locate(plan.tensors[operator.source]!, layout);
  const target = locate(plan.tensors[operator.target]!, layout);
  const { multiplier, low, high } = operator;
  const start = -storedZero(zero_point, layout) * height * width;
  const zero = storedZero(plan.tensors[operator.target]!.zero_point, layout);
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

function buildClassify(operator: Operator<'classify'>, plan: Plan, { layout, kernels }: Machine): Step {
  const source = locate(plan.tensors[operator.source]!, layout).interior;
  const [weights, bias, multiplier] = [operator.weights, operator.bias, operator.multiplier].map(
    (part) => layout.parts[part],
  ) as [number, number, number];
  return () =>
    kernels.classify(source, weights, bias, multiplier, layout.logits, operator.classes, operator.length);
}
