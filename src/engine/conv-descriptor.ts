import {
  type ConvField,
  convDescriptorBytes,
  fieldOffset,
  fixedPoint,
  magic,
  magicBits,
  shortStep,
} from './kernel-layout.ts';
import type { MemoryLayout } from './memory-layout.ts';
import type { Plan, PlanOperator, PlanTensor } from './plan.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

type Convolve = Extract<PlanOperator, { type: 'convolve' }>;

/** Byte addresses of a tensor in memory. */
export function locate({ offset, width, channels, pad }: PlanTensor, layout: MemoryLayout) {
  const pixelBytes = channels * layout.elementBytes;
  const rowBytes = (width + pad.left + pad.right) * pixelBytes;
  const start = layout.arena + offset * layout.elementBytes;
  return {
    /** First element, border included. */
    start,
    rowBytes,
    pixelBytes,
    /** Pixel (0, 0), behind the border. */
    interior: start + pad.top * rowBytes + pad.left * pixelBytes,
  };
}

/** Address of the first element of a window that begins `top` rows above and `left` columns left of the tensor. */
export function windowStart(
  tensor: PlanTensor,
  layout: MemoryLayout,
  [top, left]: readonly [number, number],
): number {
  const { interior, rowBytes, pixelBytes } = locate(tensor, layout);
  return interior - top * rowBytes - left * pixelBytes;
}

/** A stored activation minus its centred value: 0 for int16, which are centred; the zero point for U8. */
export function storedZero(zeroPoint: number, { elementBytes }: MemoryLayout): number {
  return elementBytes === 1 ? zeroPoint : 0;
}

const floatFields: ReadonlySet<ConvField> = new Set([
  'magic',
  'ownBase',
  'shifted',
  'ownScale',
  'residualScale',
  'fixed',
]);

/** Writes the descriptor of one convolution, which its kernel reads. */
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
  const { residual } = operator;
  const residualTensor = residual && plan.tensors[residual.tensor];
  const other = residualTensor && locate(residualTensor, layout);
  const { grouped, strassen } = operator;
  const segmentLength =
    grouped?.length ?? Math.ceil((operator.kernel[1] * source.channels) / shortStep) * shortStep;
  const segmentBytes = segmentLength * layout.elementBytes;
  const fields: Partial<Record<ConvField, number>> = {
    input: windowStart(source, layout, operator.pads),
    output: output.interior,
    weights: layout.parts[operator.weights]!,
    bias: layout.parts[operator.bias]!,
    multiplier: layout.parts[operator.multiplier]!,
    residual: other?.interior ?? 0,
    height: target.height,
    width: target.width,
    channels: target.channels,
    segments: grouped ? operator.kernel[0] * operator.kernel[1] : operator.kernel[0],
    segmentLength,
    segmentSkip: (grouped ? input.pixelBytes : input.rowBytes) - segmentBytes,
    inputStepX: operator.stride[1] * input.pixelBytes,
    inputStepY: operator.stride[0] * input.rowBytes,
    outputStepX: output.pixelBytes,
    outputStepY: output.rowBytes,
    residualStepX: other?.pixelBytes ?? 0,
    residualStepY: other?.rowBytes ?? 0,
    magic,
    low: magicBits + operator.low,
    high: magicBits + operator.high,
    resultHigh: operator.high + storedZero(target.zero_point, layout),
    resultBase: magicBits - storedZero(target.zero_point, layout),
    ...(residual && residualFields(residual, layout)),
    pixels: layout.pixels,
    inputChannels: strassen ? source.channels / 2 : source.channels,
    inputRowBytes: input.rowBytes,
    inputZero: storedZero(source.zero_point, layout),
    transformed: layout.transformed,
    products: layout.products,
    panel: layout.panel,
    tileRows: strassen?.block_pixels ?? operator.winograd?.tile_rows ?? 0,
    // These come last, because they replace three fields of Winograd's way.
    ...(grouped && {
      groupOffsets: layout.parts[grouped.offsets]!,
      kernelWidth: operator.kernel[1],
      rowSkip: input.rowBytes - operator.kernel[1] * input.pixelBytes,
    }),
  };
  const view = new DataView(memory.buffer, address, convDescriptorBytes);
  for (const [name, value] of Object.entries(fields) as [ConvField, number][]) {
    if (floatFields.has(name)) view.setFloat32(fieldOffset(name), value, true);
    else view.setInt32(fieldOffset(name), value, true);
  }
}

/** The fields with which a kernel adds the residual to a sum and quantizes the result. */
function residualFields(
  residual: NonNullable<Convolve['residual']>,
  layout: MemoryLayout,
): Partial<Record<ConvField, number>> {
  // A stored sum is its quantized value minus this.
  const centre = residual.sum_zero_point - storedZero(residual.sum_zero_point, layout);
  return {
    residualLow: residual.low - centre,
    residualHigh: residual.high - centre,
    ownBase: magic - residual.own_zero_point,
    residualZeroPoint: residual.residual_zero_point,
    // The rounded sum includes its zero point; centred values do not.
    ...fixedPointFields(
      residual,
      residual.residual_zero_point - storedZero(residual.residual_zero_point, layout),
    ),
    sumBase: (fixedPoint.magicBits >> fixedPoint.bits) + centre,
    exactBase: magicBits - (fixedPoint.magicBits >> fixedPoint.bits),
    ownScale: residual.own_scale,
    residualScale: residual.residual_scale,
    fixed: residual.fixed,
    residualFirst: residual.residual_first ? 1 : 0,
  };
}

/**
 * The distance from a half within which a sum is computed again. It exceeds the difference between rounding each
 * product and addition and fusing them, and the error of the fixed point. Rounding a number errs by 2^-24 of it.
 *
 * @param offset a quantized residual minus its stored value.
 */
function fixedPointFields(residual: NonNullable<Convolve['residual']>, offset: number) {
  const { own_scale, residual_scale, fixed, residual_first } = residual;
  const [own, other] = [own_scale, residual_scale].map((scale) => 255 * scale) as [number, number];
  const constant = fixed + offset * residual_scale;
  // ONNX Runtime rounds the inner sum, and the result if it does not saturate.
  const reference = (residual_first ? own : other) + Math.abs(fixed) + 256;
  // Rounded here: both products, the constant, the constant plus the residual, and the sum in fixed point.
  const shiftedMost = fixedPoint.magic + 1 + Math.abs(constant);
  const ours = own + other + shiftedMost + (shiftedMost + other);
  const one = 2 ** fixedPoint.bits;
  const margin = Math.min(Math.ceil((reference + ours) * 2 ** -24 * one + 0.5), one / 2);
  return {
    shifted: constant + fixedPoint.magic + 0.5 + margin / one,
    sumMask: one - 1,
    sumWindow: Math.min(2 * margin + 1, one),
  };
}
