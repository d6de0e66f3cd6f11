import type { PlanOperator } from '../../engine/plan.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import type { OnnxNode } from '../onnx/onnx-graph.ts';
import type { Quantization } from './qdq-reader.ts';

type Residual = NonNullable<Extract<PlanOperator, { type: 'convolve' }>['residual']>;

/** Kernels can only round sums below 2^22. 255 quanta of any sensible sum stay far below this limit. */
const maxSum = 2 ** 20;

const f32 = Math.fround;

/**
 * The constants of a quantized sum as ONNX Runtime's QLinearAdd computes them, in float32 with FMA3.
 *
 * @param own what the convolution itself gives, @param other what is added to it.
 * @param ownFirst whether the graph has them in this order.
 * @throws {UnsupportedGraphError} if the sums could be too large to be rounded.
 */
export function toResidualSum(
  node: OnnxNode,
  own: Quantization,
  other: Quantization,
  result: Quantization & { readonly relu: boolean },
  ownFirst: boolean,
): Omit<Residual, 'tensor'> {
  const ownScale = f32(f32(own.scale) / f32(result.scale));
  const otherScale = f32(f32(other.scale) / f32(result.scale));
  if ((ownScale + otherScale) * 255 > maxSum)
    throw new UnsupportedGraphError(node, 'its result is quantized far finer than its operands');
  const [first, second] = [ownScale * own.zeroPoint, otherScale * other.zeroPoint];
  // ORT fuses the product of its first operand with the addition.
  const shift = ownFirst ? f32(first + f32(second)) : f32(second + f32(first));
  return {
    own_scale: ownScale,
    residual_scale: otherScale,
    fixed: f32(result.zeroPoint - shift),
    own_zero_point: own.zeroPoint,
    residual_zero_point: other.zeroPoint,
    sum_zero_point: result.zeroPoint,
    residual_first: !ownFirst,
    low: result.relu ? result.zeroPoint : 0,
    high: 255,
  };
}
