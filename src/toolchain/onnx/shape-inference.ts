import { intAttribute, tensorAttribute } from './onnx-attribute.ts';
import { UnsupportedGraphError } from './onnx-errors.ts';
import type { OnnxGraph, OnnxNode } from './onnx-graph.ts';
import { elementCount, toIntegers } from './onnx-tensor.ts';
import type { Dimension, Shape, ShapeContext } from './shape.ts';
import { inferConv, inferPool } from './shape-of-window.ts';
import { evaluateShapeNode } from './shape-values.ts';

/** What is known of a graph's tensors when it is fed one input shape. */
export interface InferredShapes {
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Contents of small integer tensors that describe shapes (Shape, Gather, Concat ... feeding Reshape). */
  readonly values: ReadonlyMap<string, Shape>;
}

/**
 * Limited to the operators of ResNets and of the shape arithmetic exporters put around them.
 *
 * @param inputShape of the graph's only input, e.g. `['batch', 3, 224, 224]`.
 * @param fixedBatch the batch size the exporter fixed, if it did.
 * @throws {UnsupportedGraphError} At the first node without a shape rule, or whose inputs do not fit.
 */
export function inferShapes(graph: OnnxGraph, inputShape: Shape, fixedBatch?: number): InferredShapes {
  const context: ShapeContext = { graph, shapes: new Map(), values: new Map(), fixedBatch };
  for (const input of graph.inputs) context.shapes.set(input.name, inputShape);
  for (const [name, tensor] of graph.initializers) {
    context.shapes.set(name, tensor.shape);
    // Long integer tensors are weights, not shapes.
    if (tensor.datatype === 'INT64' && elementCount(tensor.shape) <= 64) {
      context.values.set(name, toIntegers(tensor, name));
    }
  }
  for (const node of graph.nodes) {
    if (evaluateShapeNode(node, context)) continue;
    const shape = inferNode(node, context);
    for (const output of node.outputs) if (output !== '') context.shapes.set(output, shape);
  }
  return context;
}

/** @returns The tensor's shape, or [] where it is not known. */
export function shapeOf(tensor: string | undefined, { shapes }: InferredShapes): Shape {
  return shapes.get(tensor ?? '') ?? [];
}

/** @throws {UnsupportedGraphError} If the node's input `index` is absent or its shape is not known. */
function inputShapeOf(node: OnnxNode, index: number, context: ShapeContext): Shape {
  const shape = context.shapes.get(node.inputs[index] ?? '');
  if (shape === undefined) throw new UnsupportedGraphError(node, `the shape of input ${index} is not known`);
  return shape;
}

function inferNode(node: OnnxNode, context: ShapeContext): Shape {
  switch (node.opType) {
    case 'Relu':
    case 'Identity':
    case 'Dropout':
    case 'BatchNormalization':
    case 'Cast':
    case 'Clip':
    case 'Softmax':
    case 'LogSoftmax':
    case 'Sigmoid':
    case 'HardSigmoid':
    case 'HardSwish':
    case 'Tanh':
    case 'Elu':
    case 'Gelu':
    case 'LeakyRelu':
    case 'QuantizeLinear':
    case 'DequantizeLinear':
      return inputShapeOf(node, 0, context);
    case 'Constant':
      return tensorAttribute(node, 'value')?.shape ?? [];
    case 'Conv':
      return inferConv(node, inputShapeOf(node, 0, context), inputShapeOf(node, 1, context));
    case 'MaxPool':
    case 'AveragePool':
      return inferPool(node, inputShapeOf(node, 0, context));
    case 'GlobalAveragePool':
    case 'GlobalMaxPool':
      return [...inputShapeOf(node, 0, context).slice(0, 2), 1, 1];
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
    case 'Sum':
      return broadcastShapes(node, context);
    case 'Pad':
      return inferPad(node, context);
    case 'Concat':
      return inferConcat(node, context);
    case 'ReduceMean':
    case 'ReduceMax':
      return inferReduceMean(node, context);
    case 'Flatten':
      return inferFlatten(node, inputShapeOf(node, 0, context));
    case 'Reshape':
      return inferReshape(node, context);
    case 'Squeeze':
      return inferSqueeze(node, context);
    case 'Gemm':
    case 'MatMul':
      return inferProduct(node, inputShapeOf(node, 0, context), inputShapeOf(node, 1, context));
    default:
      throw new UnsupportedGraphError(node, 'not an operator of a ResNet classifier');
  }
}

function inferProduct(node: OnnxNode, input: Shape, weights: Shape): Shape {
  const isTransposed = node.opType === 'Gemm' && intAttribute(node, 'transB', 0) === 1;
  const [features, classes] = isTransposed ? weights.toReversed() : weights;
  if (weights.length !== 2 || input.at(-1) !== features) {
    throw new UnsupportedGraphError(node, `weights [${weights}] do not fit an input of [${input}]`);
  }
  return [...input.slice(0, -1), classes as Dimension];
}

function broadcastShapes(node: OnnxNode, context: ShapeContext): Shape {
  const shapes = node.inputs.map((_, i) => inputShapeOf(node, i, context));
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((size) => size !== 1);
    if (sizes.some((size) => size !== sizes[0])) {
      throw new UnsupportedGraphError(
        node,
        `input shapes ${shapes.map((s) => `[${s}]`).join(' and ')} do not fit`,
      );
    }
    return sizes[0] ?? 1;
  });
}

function inferConcat(node: OnnxNode, context: ShapeContext): Shape {
  const shapes = node.inputs.map((_, i) => inputShapeOf(node, i, context));
  const [first = []] = shapes;
  const given = intAttribute(node, 'axis', 0);
  const axis = given < 0 ? given + first.length : given;
  const sizes = shapes.map((shape) => shape[axis]);
  if (sizes.some((size) => typeof size !== 'number')) {
    throw new UnsupportedGraphError(node, 'joins batches');
  }
  const total = (sizes as number[]).reduce((sum, size) => sum + size, 0);
  return first.map((size, i) => (i === axis ? total : size));
}

function inferPad(node: OnnxNode, context: ShapeContext): Shape {
  const shape = inputShapeOf(node, 0, context);
  const pads = intsOperand(node, 'pads', 1, context);
  if (pads === undefined || pads.length !== shape.length * 2) {
    throw new UnsupportedGraphError(node, 'pads must be constant, two per axis');
  }
  return shape.map((size, axis) => {
    const extra = (pads[axis] ?? 0) + (pads[axis + shape.length] ?? 0);
    return size === 'batch' ? size : size + extra;
  });
}

function inferReduceMean(node: OnnxNode, context: ShapeContext): Shape {
  const shape = inputShapeOf(node, 0, context);
  const axes = intsOperand(node, 'axes', 1, context)?.map((axis) => (axis < 0 ? axis + shape.length : axis));
  if (axes === undefined) throw new UnsupportedGraphError(node, 'axes must be constant');
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return intAttribute(node, 'keepdims', 1) === 1 ? kept : kept.filter((_, axis) => !axes.includes(axis));
}

function inferSqueeze(node: OnnxNode, context: ShapeContext): Shape {
  const shape = inputShapeOf(node, 0, context);
  const axes = intsOperand(node, 'axes', 1, context)?.map((axis) => (axis < 0 ? axis + shape.length : axis));
  return shape.filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis)));
}

function inferFlatten(node: OnnxNode, shape: Shape): Shape {
  const axis = intAttribute(node, 'axis', 1);
  const split = axis < 0 ? axis + shape.length : axis;
  const product = (sizes: Shape): Dimension => {
    const fixed = elementCount(sizes.filter((size) => size !== 'batch'));
    if (!sizes.includes('batch')) return fixed;
    if (fixed !== 1) throw new UnsupportedGraphError(node, 'merges the batch dimension with another');
    return 'batch';
  };
  return [product(shape.slice(0, split)), product(shape.slice(split))];
}

function inferReshape(node: OnnxNode, context: ShapeContext): Shape {
  const shape = inputShapeOf(node, 0, context);
  const wanted = intsAttributeOrValues(node, context);
  if (wanted === undefined) {
    throw new UnsupportedGraphError(
      node,
      'its target shape is neither constant nor computed from known shapes',
    );
  }
  const copied = wanted.map((size, axis) => {
    if (size === 0) return shape[axis] as Dimension;
    return axis === 0 && shape[0] === 'batch' && size === context.fixedBatch ? 'batch' : size;
  });
  const [input, output] = [count(shape), count(copied.filter((size) => size !== -1))];
  return copied.map((size): Dimension => {
    if (size !== -1) return size;
    if (input.batches === output.batches) return input.fixed / output.fixed;
    if (input.batches === output.batches + 1 && input.fixed === output.fixed) return 'batch';
    throw new UnsupportedGraphError(node, `cannot reshape [${shape}] to [${wanted}]`);
  });
}

function count(shape: Shape): { fixed: number; batches: number } {
  const fixed = shape.filter((size) => size !== 'batch');
  return { fixed: elementCount(fixed), batches: shape.length - fixed.length };
}

function intsAttributeOrValues(node: OnnxNode, context: ShapeContext): Shape | undefined {
  const attribute = node.attributes.get('shape');
  return attribute?.type === 'INTS' ? attribute.value : context.values.get(node.inputs[1] ?? '');
}

/**
 * Axes, pads and the like: an attribute in older operator sets, an input in newer ones.
 *
 * @returns undefined where neither is given, or the input is not constant.
 */
export function intsOperand(
  node: OnnxNode,
  attributeName: string,
  inputIndex: number,
  context: Pick<InferredShapes, 'values'>,
): readonly number[] | undefined {
  const attribute = node.attributes.get(attributeName);
  if (attribute?.type === 'INTS') return attribute.value;
  const values = context.values.get(node.inputs[inputIndex] ?? '');
  return values?.every((value) => value !== 'batch') ? values : undefined;
}
