import { bypassNode, toFreshName } from '../../onnx/graph-edit.ts';
import { intAttribute, stringAttribute } from '../../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxNode, soleConsumer } from '../../onnx/onnx-graph.ts';
import { int64Tensor, toFloat32 } from '../../onnx/onnx-tensor.ts';
import type { Shape } from '../../onnx/shape.ts';
import { type InferredShapes, intsOperand, shapeOf } from '../../onnx/shape-inference.ts';
import { toWindow, type Window } from '../../onnx/shape-of-window.ts';

/**
 * Writes out every window's padding: a Pad node goes into the convolution after it, auto_pad and
 * ceil_mode into `pads`. Attributes left at their defaults are written out too, unknown ones dropped.
 *
 * @param inferred shapes of the graph as it is.
 * @throws {UnsupportedGraphError} At a Pad that cannot move, or a pooling mode an integer kernel lacks.
 */
export function makePaddingExplicit(graph: OnnxGraph, inferred: InferredShapes): void {
  for (const node of graph.nodes) {
    if (node.opType === 'Conv') rewriteConv(node, inferred);
    if (node.opType === 'MaxPool' || node.opType === 'AveragePool') rewritePool(graph, node, inferred);
  }
  for (const node of graph.nodes.filter(({ opType }) => opType === 'Pad')) mergePad(graph, node, inferred);
}

function rewriteConv(node: OnnxNode, inferred: InferredShapes): void {
  const kernel = shapeOf(node.inputs[1], inferred).slice(2) as number[];
  const window = toWindow(node, shapeOf(node.inputs[0], inferred), kernel);
  node.attributes = new Map([
    ['dilations', { type: 'INTS', value: window.dilations }],
    ['group', { type: 'INT', value: intAttribute(node, 'group', 1) }],
    ['kernel_shape', { type: 'INTS', value: window.kernel }],
    ['pads', { type: 'INTS', value: window.pads }],
    ['strides', { type: 'INTS', value: window.strides }],
  ]);
}

function rewritePool(graph: OnnxGraph, node: OnnxNode, inferred: InferredShapes): void {
  const input = shapeOf(node.inputs[0], inferred);
  const window = toWindow(node, input);
  if (window.dilations.some((dilation) => dilation !== 1)) {
    throw new UnsupportedGraphError(node, 'dilated pooling has no integer kernel');
  }
  if (node.outputs[1] && indexGraph(graph).consumers.has(node.outputs[1])) {
    throw new UnsupportedGraphError(node, 'its indices are used');
  }
  node.outputs.length = 1;
  const padding = toFloorPads(window, input);
  if (node.opType === 'AveragePool') {
    const countsPadding = intAttribute(node, 'count_include_pad', 0) === 1;
    if (countsPadding && padding.some((pad) => pad > 0)) {
      throw new UnsupportedGraphError(
        node,
        'averages its padding too (count_include_pad), which no ResNet does',
      );
    }
  }
  node.attributes = new Map([
    ['kernel_shape', { type: 'INTS', value: window.kernel }],
    ['pads', { type: 'INTS', value: padding }],
    ['strides', { type: 'INTS', value: window.strides }],
  ]);
}

/**
 * A ceiling window reaches beyond the input at the bottom and right: the same as that much more padding,
 * because a pool leaves padding out of its maximum and (without count_include_pad) its average.
 */
function toFloorPads({ pads, kernel, strides, output }: Window, input: Shape): number[] {
  return pads.map((pad, side) => {
    if (side < 2) return pad;
    const axis = side - 2;
    const reach = ((output[axis] as number) - 1) * (strides[axis] as number) + (kernel[axis] as number);
    return Math.max(pad, reach - (input[axis + 2] as number) - (pads[axis] as number));
  });
}

function mergePad(graph: OnnxGraph, pad: OnnxNode, inferred: InferredShapes): void {
  const amounts = intsOperand(pad, 'pads', 1, inferred) ?? [];
  const index = indexGraph(graph);
  const reader = soleConsumer(index, pad.outputs[0] as string);
  // Zeros never win a maximum over ReLU's output, if each window holds a value of it.
  const isPool =
    reader?.opType === 'MaxPool' &&
    index.producers.get(pad.inputs[0] as string)?.opType === 'Relu' &&
    holdsValuesInEachWindow(reader, amounts);
  if (amounts.every((amount) => amount === 0)) {
    bypassNode(graph, pad, pad.inputs[0] as string);
    return;
  }
  const isBeforePool = reader?.opType === 'MaxPool' && hasNoPads(reader);
  const isSpatial = amounts.every((amount, i) => amount === 0 || (amount > 0 && i % 4 >= 2));
  if (
    reader === undefined ||
    !(reader.opType === 'Conv' || isPool || isBeforePool) ||
    !isSpatial ||
    !padsWithZero(graph, pad)
  ) {
    throw new UnsupportedGraphError(
      pad,
      'only zeros around height and width, before one Conv or MaxPool, are run in integers',
    );
  }
  if (isBeforePool && !isPool) {
    keepZeros(graph, pad, amounts);
    return;
  }
  reader.attributes.set('pads', { type: 'INTS', value: toMergedPads(reader, amounts) });
  bypassNode(graph, pad, pad.inputs[0] as string);
}

function toMergedPads({ attributes }: OnnxNode, amounts: readonly number[]): number[] {
  const pads = attributes.get('pads')?.value as readonly number[];
  const added = [amounts[2], amounts[3], amounts[6], amounts[7]] as number[];
  return pads.map((own, side) => own + (added[side] as number));
}

/** A window of padding alone has no maximum, and ONNX Runtime refuses a pool that might have one. */
function holdsValuesInEachWindow(pool: OnnxNode, amounts: readonly number[]): boolean {
  const kernel = pool.attributes.get('kernel_shape')?.value as readonly number[];
  return toMergedPads(pool, amounts).every((pad, side) => pad < (kernel[side % 2] as number));
}

function hasNoPads({ attributes }: OnnxNode): boolean {
  const pads = attributes.get('pads');
  return pads?.type !== 'INTS' || pads.value.every((amount) => amount === 0);
}

/** Zeros that may win a maximum stay a node, in the spelling of opset 13. */
function keepZeros(graph: OnnxGraph, pad: OnnxNode, amounts: readonly number[]): void {
  const name = toFreshName(graph, `${pad.outputs[0]}_pads`);
  graph.initializers.set(name, int64Tensor(amounts));
  pad.inputs = [pad.inputs[0] as string, name];
  pad.attributes = new Map();
}

function padsWithZero(graph: OnnxGraph, pad: OnnxNode): boolean {
  const attribute = pad.attributes.get('value');
  const constant = graph.initializers.get(pad.inputs[2] ?? '');
  const value =
    constant === undefined ? (attribute?.value ?? 0) : toFloat32(constant, pad.inputs[2] as string)[0];
  const known = !pad.inputs[2] || constant !== undefined;
  return known && stringAttribute(pad, 'mode', 'constant') === 'constant' && value === 0 && !pad.inputs[3];
}
