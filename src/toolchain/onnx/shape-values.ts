import { intAttribute, intsAttribute, tensorAttribute } from './onnx-attribute.ts';
import { UnsupportedGraphError } from './onnx-errors.ts';
import type { OnnxNode } from './onnx-graph.ts';
import { elementCount, toIntegers } from './onnx-tensor.ts';
import type { Dimension, Shape, ShapeContext } from './shape.ts';

/**
 * Computes what a node of shape arithmetic yields: exporters write `view(x.size(0), -1)` as
 * Shape, Gather, Unsqueeze, Concat, Reshape.
 *
 * @returns Whether the node was one, with its result now in `context`.
 */
export function evaluateShapeNode(node: OnnxNode, context: ShapeContext): boolean {
  const result = evaluate(node, context);
  if (result === undefined) return false;
  const output = node.outputs[0] as string;
  context.values.set(output, result.values);
  context.shapes.set(output, result.scalar ? [] : [result.values.length]);
  return true;
}

interface ShapeValue {
  readonly values: Shape;
  readonly scalar: boolean;
}

function evaluate(node: OnnxNode, context: ShapeContext): ShapeValue | undefined {
  const operand = (index: number) => context.values.get(node.inputs[index] ?? '');
  const isScalar = (index: number) => context.shapes.get(node.inputs[index] ?? '')?.length === 0;
  switch (node.opType) {
    case 'Shape': {
      const shape = context.shapes.get(node.inputs[0] as string);
      if (shape === undefined) return undefined;
      const end = node.attributes.has('end') ? intAttribute(node, 'end', 0) : shape.length;
      return { values: shape.slice(intAttribute(node, 'start', 0), end), scalar: false };
    }
    case 'Constant': {
      const tensor = tensorAttribute(node, 'value');
      if (tensor?.datatype === 'INT64' && elementCount(tensor.shape) <= 64) {
        return { values: toIntegers(tensor, node.name), scalar: tensor.shape.length === 0 };
      }
      const ints = intsAttribute(node, 'value_ints');
      if (ints !== undefined) return { values: ints, scalar: false };
      if (!node.attributes.has('value_int')) return undefined;
      return { values: [intAttribute(node, 'value_int', 0)], scalar: true };
    }
    case 'Identity':
    case 'Cast': {
      const values = operand(0);
      return values && { values, scalar: isScalar(0) };
    }
    case 'Unsqueeze':
    case 'Squeeze': {
      // Only between a scalar and a list of one: a list of several is never squeezed.
      const values = operand(0);
      return values && { values, scalar: node.opType === 'Squeeze' };
    }
    case 'Gather': {
      const [values, indices] = [operand(0), operand(1)];
      if (values === undefined || indices === undefined) return undefined;
      const picked = indices.map((index) => values[at(index, values.length, node)] as Dimension);
      return { values: picked, scalar: isScalar(1) };
    }
    case 'Slice': {
      const values = operand(0);
      if (values === undefined) return undefined;
      const [start] = intsAttribute(node, 'starts') ?? operand(1) ?? [];
      const [end] = intsAttribute(node, 'ends') ?? operand(2) ?? [];
      if (start === undefined || end === undefined || start === 'batch' || end === 'batch') return undefined;
      if ((operand(4) ?? [1]).some((step) => step !== 1)) {
        throw new UnsupportedGraphError(node, 'slices a shape with a step other than 1');
      }
      return { values: values.slice(start, end), scalar: false };
    }
    case 'Concat': {
      const parts = node.inputs.map((_, i) => operand(i));
      if (parts.some((part) => part === undefined)) return undefined;
      return { values: parts.flatMap((part) => part as Shape), scalar: false };
    }
    case 'Mul':
    case 'Add':
    case 'Sub':
    case 'Div':
      return evaluateArithmetic(node, operand(0), operand(1), isScalar(0) && isScalar(1));
    default:
      return undefined;
  }
}

function at(index: Dimension, length: number, node: OnnxNode): number {
  if (index === 'batch') throw new UnsupportedGraphError(node, 'indexes a shape by the batch size');
  const position = index < 0 ? index + length : index;
  if (position < 0 || position >= length) {
    throw new UnsupportedGraphError(node, `index ${index} lies outside a shape of ${length} dimensions`);
  }
  return position;
}

function evaluateArithmetic(
  node: OnnxNode,
  left: Shape | undefined,
  right: Shape | undefined,
  scalar: boolean,
): ShapeValue | undefined {
  if (left === undefined || right === undefined) return undefined;
  const values = Array.from({ length: Math.max(left.length, right.length) }, (_, i): Dimension => {
    const a = left[left.length === 1 ? 0 : i] as Dimension;
    const b = right[right.length === 1 ? 0 : i] as Dimension;
    // The batch size times or by one is all that can be said without knowing it.
    if (b === 1 && (node.opType === 'Mul' || node.opType === 'Div')) return a;
    if (a === 1 && node.opType === 'Mul') return b;
    if (a === 'batch' || b === 'batch') {
      throw new UnsupportedGraphError(node, 'computes with the batch size');
    }
    if (node.opType === 'Mul') return a * b;
    if (node.opType === 'Add') return a + b;
    return node.opType === 'Sub' ? a - b : Math.trunc(a / b);
  });
  return { values, scalar };
}
