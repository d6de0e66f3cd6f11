import { floatAttribute, intAttribute } from '../../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxNode } from '../../onnx/onnx-graph.ts';
import { elementCount, toFloat32 } from '../../onnx/onnx-tensor.ts';
import type { InferredShapes } from '../../onnx/shape-inference.ts';

/** `input * scale + shift`, one pair per channel, in double precision. */
export interface Affine {
  readonly input: string;
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/**
 * @returns What the node computes, or undefined if it is not per-channel arithmetic on a feature map.
 * @throws {UnsupportedGraphError} At a BatchNormalization in training mode or with computed parameters.
 */
export function parseAffine(
  graph: OnnxGraph,
  node: OnnxNode,
  { shapes }: InferredShapes,
): Affine | undefined {
  const shape = shapes.get(node.outputs[0] ?? '');
  const channels = shape?.[1];
  if (shape?.length !== 4 || typeof channels !== 'number') return undefined;
  if (node.opType === 'BatchNormalization') return parseBatchNorm(graph, node, channels);
  if (!/^(Add|Sub|Mul|Div)$/.test(node.opType)) return undefined;
  const constantIndex = node.inputs.findIndex((input) => graph.initializers.has(input));
  const input = node.inputs[1 - constantIndex];
  if (constantIndex < 0 || input === undefined || graph.initializers.has(input)) return undefined;
  const values = toChannels(graph, node, constantIndex, channels);
  return { input, ...toArithmetic(node, values, constantIndex === 0) };
}

function toArithmetic(node: OnnxNode, values: Float64Array, constantFirst: boolean): Omit<Affine, 'input'> {
  const ones = new Float64Array(values.length).fill(1);
  const zeros = new Float64Array(values.length);
  switch (node.opType) {
    case 'Add':
      return { scale: ones, shift: values };
    case 'Sub':
      return constantFirst
        ? { scale: ones.map(() => -1), shift: values }
        : { scale: ones, shift: values.map((value) => -value) };
    case 'Mul':
      return { scale: values, shift: zeros };
    default:
      if (constantFirst) throw new UnsupportedGraphError(node, 'divides a constant by a feature map');
      return { scale: values.map((value) => 1 / value), shift: zeros };
  }
}

/** A constant that broadcasts over all but the channels: a scalar, [C, 1, 1] or [1, C, 1, 1]. */
function toChannels(graph: OnnxGraph, node: OnnxNode, index: number, channels: number): Float64Array {
  const name = node.inputs[index] as string;
  const tensor = graph.initializers.get(name) as NonNullable<ReturnType<typeof graph.initializers.get>>;
  const count = elementCount(tensor.shape);
  const rank = tensor.shape.length;
  const isPerChannel = count === channels && rank >= 3 && tensor.shape[rank - 3] === channels;
  if (count !== 1 && !isPerChannel) {
    throw new UnsupportedGraphError(
      node,
      `its constant of shape [${tensor.shape}] is not one value per channel`,
    );
  }
  const values = toFloat32(tensor, name);
  return Float64Array.from({ length: channels }, (_, i) => values[count === 1 ? 0 : i]!);
}

/** @see https://onnx.ai/onnx/operators/onnx__BatchNormalization.html; opset 7 and 9 differ from 15 in types only. */
export function parseBatchNorm(graph: OnnxGraph, node: OnnxNode, channels: number): Affine {
  if (intAttribute(node, 'training_mode', 0) !== 0 || node.outputs.slice(1).some((output) => output !== '')) {
    throw new UnsupportedGraphError(node, 'is in training mode; export the model in inference mode');
  }
  if (intAttribute(node, 'spatial', 1) !== 1) {
    throw new UnsupportedGraphError(node, 'normalises each pixel on its own (spatial = 0)');
  }
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => {
    const name = node.inputs[index] ?? '';
    const tensor = graph.initializers.get(name);
    if (tensor === undefined || elementCount(tensor.shape) !== channels) {
      throw new UnsupportedGraphError(
        node,
        `its parameter '${name}' must be a constant of ${channels} elements`,
      );
    }
    return toFloat32(tensor, name);
  }) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  if (!variance.every((value) => value + epsilon > 0)) {
    throw new UnsupportedGraphError(node, 'a variance is negative or not a number');
  }
  const scale = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i]! + epsilon));
  const shift = Float64Array.from(beta, (value, i) => value - mean[i]! * scale[i]!);
  return { input: node.inputs[0] as string, scale, shift };
}
