import { bypassNode, toFreshName } from '../../onnx/graph-edit.ts';
import { intAttribute } from '../../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import type { AttributeValue, OnnxGraph, OnnxNode } from '../../onnx/onnx-graph.ts';
import { type InferredShapes, intsOperand, shapeOf } from '../../onnx/shape-inference.ts';
import { toWindow } from '../../onnx/shape-of-window.ts';

/**
 * One spelling for the end of the body: a mean over height and width becomes GlobalAveragePool, a maximum
 * GlobalMaxPool, and every
 * way to drop the two sizes of one becomes Flatten.
 *
 * @param inferred shapes of the graph as it is.
 * @throws {UnsupportedGraphError} At a mean over other axes, or a reshape to anything but [batch, features].
 */
export function canonicalisePooling(graph: OnnxGraph, inferred: InferredShapes): void {
  for (const node of [...graph.nodes]) {
    switch (node.opType) {
      case 'ReduceMean':
        rewriteReduce(graph, node, inferred, 'GlobalAveragePool');
        break;
      case 'ReduceMax':
        rewriteReduce(graph, node, inferred, 'GlobalMaxPool');
        break;
      case 'AveragePool':
        rewriteWholePool(node, inferred, 'GlobalAveragePool');
        break;
      case 'MaxPool':
        rewriteWholePool(node, inferred, 'GlobalMaxPool');
        break;
      case 'Reshape':
      case 'Squeeze':
      case 'Flatten':
        rewriteFlatten(graph, node, inferred);
        break;
    }
  }
}

function rewriteReduce(
  graph: OnnxGraph,
  node: OnnxNode,
  inferred: InferredShapes,
  pool: 'GlobalAveragePool' | 'GlobalMaxPool',
): void {
  const input = shapeOf(node.inputs[0], inferred);
  const axes = intsOperand(node, 'axes', 1, inferred)?.map((axis) => (axis < 0 ? axis + 4 : axis));
  if (input.length !== 4 || axes?.toSorted().join() !== '2,3') {
    throw new UnsupportedGraphError(node, 'only a reduction over height and width is a pooling');
  }
  const keepsDimensions = intAttribute(node, 'keepdims', 1) === 1;
  node.opType = pool;
  node.inputs.length = 1;
  node.attributes = new Map();
  if (keepsDimensions) return;
  const output = node.outputs[0] as string;
  const pooled = toFreshName(graph, `${output}_pooled`);
  node.outputs = [pooled];
  graph.nodes.splice(graph.nodes.indexOf(node) + 1, 0, {
    name: `${node.name || output}_flatten`,
    opType: 'Flatten',
    domain: '',
    inputs: [pooled],
    outputs: [output],
    attributes: flattenAttributes(),
  });
}

function rewriteWholePool(
  node: OnnxNode,
  inferred: InferredShapes,
  pool: 'GlobalAveragePool' | 'GlobalMaxPool',
): void {
  const input = shapeOf(node.inputs[0], inferred);
  const { kernel, pads } = toWindow(node, input);
  if (kernel[0] !== input[2] || kernel[1] !== input[3] || pads.some((pad) => pad > 0)) return;
  node.opType = pool;
  node.attributes = new Map();
  node.outputs.length = 1;
}

function rewriteFlatten(graph: OnnxGraph, node: OnnxNode, inferred: InferredShapes): void {
  const input = shapeOf(node.inputs[0], inferred);
  const output = shapeOf(node.outputs[0], inferred);
  if (input.join() === output.join()) {
    bypassNode(graph, node, node.inputs[0] as string);
    return;
  }
  if (input[0] !== 'batch' || output.length !== 2 || output[0] !== 'batch') {
    throw new UnsupportedGraphError(node, `turns [${input}] into [${output}], which is no flattening`);
  }
  node.opType = 'Flatten';
  node.inputs.length = 1;
  node.attributes = flattenAttributes();
}

function flattenAttributes(): Map<string, AttributeValue> {
  return new Map([['axis', { type: 'INT', value: 1 }]]);
}
