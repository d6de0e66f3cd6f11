import { bypassNode, toFreshName } from '../../onnx/graph-edit.ts';
import { floatAttribute } from '../../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxNode } from '../../onnx/onnx-graph.ts';
import { fp32Tensor, toFloat32 } from '../../onnx/onnx-tensor.ts';

/**
 * One spelling for ReLU6: Clip with constants for both ends, the lower one 0. A Clip with no upper end is a Relu, one
 * with neither nothing.
 *
 * @throws {UnsupportedGraphError} at one that is neither, or whose ends are computed.
 */
export function canonicaliseClips(graph: OnnxGraph): void {
  for (const node of [...graph.nodes]) {
    if (node.opType !== 'Clip') continue;
    const least = readEnd(graph, node, 1, 'min', Number.NEGATIVE_INFINITY);
    const most = readEnd(graph, node, 2, 'max', Number.POSITIVE_INFINITY);
    if (least < -1e30 && most > 1e30) {
      bypassNode(graph, node, node.inputs[0] as string);
      continue;
    }
    if (least !== 0 || !(most > 0)) {
      throw new UnsupportedGraphError(node, `clips to [${least}, ${most}], which is no ReLU6`);
    }
    node.attributes = new Map();
    node.inputs.length = 1;
    if (most > 1e30) {
      node.opType = 'Relu';
      continue;
    }
    for (const [end, value] of [least, most].entries()) {
      const name = toFreshName(graph, `${node.outputs[0]}_${end === 0 ? 'min' : 'max'}`);
      graph.initializers.set(name, fp32Tensor([], Float32Array.of(value)));
      node.inputs.push(name);
    }
  }
}

function readEnd(
  graph: OnnxGraph,
  node: OnnxNode,
  position: number,
  attribute: string,
  none: number,
): number {
  const name = node.inputs[position];
  if (!name) return floatAttribute(node, attribute, none);
  const tensor = graph.initializers.get(name);
  if (!tensor) throw new UnsupportedGraphError(node, 'its ends must be constants');
  return toFloat32(tensor, name)[0]!;
}
