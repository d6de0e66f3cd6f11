import { bypassNode } from '../../onnx/graph-edit.ts';
import { intAttribute } from '../../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxNode } from '../../onnx/onnx-graph.ts';
import { datatypeCodes, toIntegers } from '../../onnx/onnx-tensor.ts';

/**
 * Removes nodes that do nothing at inference: Identity, Dropout, casts between float types, and a final
 * Softmax (it keeps the order of classes; the product applies its own).
 *
 * @returns One note per thing that changes what the graph's output means.
 * @throws {UnsupportedGraphError} At a Dropout that is in training mode, or whose mask is read.
 */
export function dropInertNodes(graph: OnnxGraph): string[] {
  const notes: string[] = [];
  for (const node of [...graph.nodes]) {
    if (node.opType === 'Dropout') assertInference(graph, node);
    if (node.opType === 'Identity' || node.opType === 'Dropout' || isFloatCast(node)) {
      bypassNode(graph, node, node.inputs[0] as string);
    } else if (isFinalSoftmax(graph, node)) {
      bypassNode(graph, node, node.inputs[0] as string);
      notes.push(`dropped the final ${node.opType} '${node.name}': the output is logits now`);
    }
  }
  return notes;
}

function isFloatCast(node: OnnxNode): boolean {
  const to = intAttribute(node, 'to', 0);
  return (
    node.opType === 'Cast' &&
    (to === datatypeCodes.FP32 || to === datatypeCodes.FP16 || to === datatypeCodes.FP64)
  );
}

function isFinalSoftmax(graph: OnnxGraph, node: OnnxNode): boolean {
  const isSoftmax = node.opType === 'Softmax' || node.opType === 'LogSoftmax';
  return isSoftmax && graph.outputs.some(({ name }) => name === node.outputs[0]);
}

function assertInference(graph: OnnxGraph, node: OnnxNode): void {
  const mask = node.outputs[1];
  if (mask && indexGraph(graph).consumers.has(mask)) {
    throw new UnsupportedGraphError(node, 'its mask is used; export the model in inference mode');
  }
  const training = graph.initializers.get(node.inputs[2] ?? '');
  const isTraining = training !== undefined && toIntegers(training, node.inputs[2] as string)[0] !== 0;
  if (isTraining || (node.inputs[2] && training === undefined)) {
    throw new UnsupportedGraphError(node, 'is in training mode; export the model in inference mode');
  }
}
