import { removeNode, toFreshName } from '../../onnx/graph-edit.ts';
import { intAttribute } from '../../onnx/onnx-attribute.ts';
import { indexGraph, type OnnxGraph, type OnnxNode } from '../../onnx/onnx-graph.ts';
import { fp32Tensor, toFloat32 } from '../../onnx/onnx-tensor.ts';
import { type InferredShapes, shapeOf } from '../../onnx/shape-inference.ts';

/**
 * A 1x1 convolution of pooled features is a layer: where it makes the output of the graph, it becomes Flatten and Gemm.
 * One that goes back into the network (squeeze-and-excitation) stays.
 *
 * @param graph after canonicalisePooling.
 * @param inferred shapes of the graph as it is.
 */
export function canonicaliseConvHead(graph: OnnxGraph, inferred: InferredShapes): void {
  const output = graph.outputs[0]!.name;
  const { producers } = indexGraph(graph);
  let node = producers.get(output);
  const flattens: OnnxNode[] = [];
  while (node?.opType === 'Flatten') {
    flattens.push(node);
    node = producers.get(node.inputs[0]!);
  }
  const weights = node?.opType === 'Conv' ? graph.initializers.get(node.inputs[1]!) : undefined;
  if (!node || weights?.shape.slice(2).join() !== '1,1' || intAttribute(node, 'group', 1) !== 1) return;
  if (shapeOf(node.inputs[0], inferred).slice(2).join() !== '1,1') return;
  const features = toFreshName(graph, `${output}_features`);
  const [outputs, inputs] = weights.shape as [number, number];
  const matrix = toFreshName(graph, `${node.inputs[1]}_matrix`);
  graph.initializers.set(matrix, fp32Tensor([outputs, inputs], toFloat32(weights, node.inputs[1]!)));
  const flatten: OnnxNode = {
    name: features,
    opType: 'Flatten',
    domain: '',
    inputs: [node.inputs[0]!],
    outputs: [features],
    attributes: new Map([['axis', { type: 'INT', value: 1 }]]),
  };
  graph.nodes.splice(graph.nodes.indexOf(node), 0, flatten);
  for (const each of flattens) removeNode(graph, each);
  node.opType = 'Gemm';
  node.inputs = [features, matrix, ...node.inputs.slice(2)];
  node.outputs = [output];
  node.attributes = new Map([['transB', { type: 'INT', value: 1 }]]);
}
