import { bypassNode } from '../onnx/graph-edit.ts';
import { intAttribute } from '../onnx/onnx-attribute.ts';
import { indexGraph, type OnnxGraph, type OnnxNode, soleConsumer } from '../onnx/onnx-graph.ts';
import { toIntegers } from '../onnx/onnx-tensor.ts';

/**
 * Takes out what torch's exporter writes where nothing happens.
 *
 * - CastLike of a float constant: without its optimizer, each block casts its constants to the type of its input.
 * - `as_strided`: a network whose memory is NHWC flattens its pooled features, picks them one by one in the order in
 *   which they are, and gives them their shape back.
 *
 * @param graph in single precision, its Constant nodes lifted; is rewritten in place.
 */
export function dropDetours(graph: OnnxGraph): void {
  for (const node of [...graph.nodes]) {
    const isOfConstant = graph.initializers.get(node.inputs[0] ?? '')?.datatype === 'FP32';
    if (node.opType === 'CastLike' && isOfConstant) bypassNode(graph, node, node.inputs[0]!);
    if (node.opType === 'Gather') dropStridedCopy(graph, node);
  }
}

function dropStridedCopy(graph: OnnxGraph, gather: OnnxNode): void {
  const index = indexGraph(graph);
  const [data = '', picked = ''] = gather.inputs;
  const flatten = index.producers.get(data);
  const isFlat = flatten?.opType === 'Reshape' && readInts(graph, flatten.inputs[1])?.join() === '-1';
  const order = readInts(graph, picked);
  const isInOrder = order?.every((position, i) => position === i) ?? false;
  if (!flatten || !isFlat || !isInOrder || intAttribute(gather, 'axis', 0) !== 0) return;
  if (soleConsumer(index, data) !== gather) return;
  bypassNode(graph, gather, data);
  bypassNode(graph, flatten, flatten.inputs[0]!);
}

function readInts(graph: OnnxGraph, name = ''): number[] | undefined {
  const tensor = graph.initializers.get(name);
  return tensor?.datatype === 'INT64' ? toIntegers(tensor, name) : undefined;
}
