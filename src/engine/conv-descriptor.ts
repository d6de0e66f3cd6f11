import { type ConvField, convDescriptorBytes, fieldOffset } from './kernels/layout.ts';
import type { MemoryLayout } from './memory-layout.ts';
import type { Plan, PlanOperator, PlanTensor } from './plan.ts';

type Convolve = Extract<PlanOperator, { type: 'convolve' }>;

/** Byte addresses of a tensor in memory. */
export function locate({ offset, width, channels, pad }: PlanTensor, layout: MemoryLayout) {
  const rowBytes = (width + pad.left + pad.right) * channels * 2;
  const start = layout.arena + offset;
  return {
    /** First element, border included. */
    start,
    rowBytes,
    pixelBytes: channels * 2,
    /** Pixel (0, 0), behind the border. */
    interior: start + pad.top * rowBytes + pad.left * channels * 2,
  };
}

/** Address of the first element a window reads that looks `top` rows and `left` columns over the edge. */
export function windowStart(
  tensor: PlanTensor,
  layout: MemoryLayout,
  [top, left]: readonly [number, number],
): number {
  const { interior, rowBytes, pixelBytes } = locate(tensor, layout);
  return interior - top * rowBytes - left * pixelBytes;
}

const floatFields: ReadonlySet<ConvField> = new Set([
  'low',
  'high',
  'residualLow',
  'residualHigh',
  'ownZeroPoint',
  'residualZeroPoint',
  'ownScale',
  'residualScale',
  'fixed',
]);

/** Writes what the kernels need to know of one convolution. */
export function writeConvDescriptor(
  memory: WebAssembly.Memory,
  address: number,
  operator: Convolve,
  plan: Plan,
  layout: MemoryLayout,
): void {
  const source = plan.tensors[operator.source]!;
  const target = plan.tensors[operator.target]!;
  const input = locate(source, layout);
  const output = locate(target, layout);
  const residualTensor = operator.residual && plan.tensors[operator.residual.tensor];
  const residual = residualTensor && locate(residualTensor, layout);
  const segmentLength = Math.ceil((operator.kernel[1] * source.channels) / 16) * 16;
  const fields: Partial<Record<ConvField, number>> = {
    input: windowStart(source, layout, operator.pads),
    output: output.interior,
    weights: layout.weights + operator.weights,
    bias: layout.weights + operator.bias,
    multiplier: layout.weights + operator.multiplier,
    residual: residual?.interior ?? 0,
    height: target.height,
    width: target.width,
    channels: target.channels,
    segments: operator.kernel[0],
    segmentLength,
    segmentSkip: input.rowBytes - segmentLength * 2,
    inputStepX: operator.stride[1] * input.pixelBytes,
    inputStepY: operator.stride[0] * input.rowBytes,
    outputStepX: output.pixelBytes,
    outputStepY: output.rowBytes,
    residualStepX: residual?.pixelBytes ?? 0,
    residualStepY: residual?.rowBytes ?? 0,
    low: operator.low,
    high: operator.high,
    residualLow: operator.residual?.low ?? 0,
    residualHigh: operator.residual?.high ?? 0,
    ownZeroPoint: operator.residual?.own_zero_point ?? 0,
    residualZeroPoint: operator.residual?.residual_zero_point ?? 0,
    sumZeroPoint: operator.residual?.sum_zero_point ?? 0,
    ownScale: operator.residual?.own_scale ?? 0,
    residualScale: operator.residual?.residual_scale ?? 0,
    fixed: operator.residual?.fixed ?? 0,
    residualFirst: operator.residual?.residual_first ? 1 : 0,
    inputChannels: source.channels,
    inputRowBytes: input.rowBytes,
    transformed: layout.transformed,
    products: layout.products,
    tileRows: operator.winograd ? tileRows(plan.transformed_bytes, target, source) : 0,
  };
  const view = new DataView(memory.buffer, address, convDescriptorBytes);
  for (const [name, value] of Object.entries(fields) as [ConvField, number][]) {
    if (floatFields.has(name)) view.setFloat32(fieldOffset(name), value, true);
    else view.setInt32(fieldOffset(name), value, true);
  }
}

/** As many rows of 2 x 2 tiles at once as the scratch for transformed inputs holds. */
function tileRows(transformedBytes: number, target: PlanTensor, source: PlanTensor): number {
  const rowBytes = 16 * Math.ceil(target.width / 2) * source.channels * 2;
  return Math.max(1, Math.min(Math.ceil(target.height / 2), Math.floor(transformedBytes / rowBytes)));
}
