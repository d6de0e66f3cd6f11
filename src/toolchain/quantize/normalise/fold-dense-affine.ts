import { removeNode, toFreshName } from '../../onnx/graph-edit.ts';
import { indexGraph, type OnnxGraph, type OnnxNode, soleConsumer } from '../../onnx/onnx-graph.ts';
import { fp32Tensor, toFloat32 } from '../../onnx/onnx-tensor.ts';
import type { InferredShapes } from '../../onnx/shape-inference.ts';
import { parseBatchNorm } from './affine.ts';

/**
 * Folds a BatchNormalization between layers of a head into the layer behind it, or else into the one before it.
 *
 * @param graph after canonicaliseClassifier: layers are Gemms with weights [outputs, inputs] and a bias.
 */
export function foldDenseAffine(graph: OnnxGraph, { shapes }: InferredShapes): void {
  for (const node of [...graph.nodes]) {
    const shape = shapes.get(node.outputs[0] ?? '');
    const features = shape?.[1];
    if (node.opType !== 'BatchNormalization' || shape?.length !== 2 || typeof features !== 'number') continue;
    const { scale, shift } = parseBatchNorm(graph, node, features);
    const index = indexGraph(graph);
    const behind = soleConsumer(index, node.outputs[0]!);
    const before = index.producers.get(node.inputs[0]!);
    if (behind?.opType === 'Gemm') {
      const { weights, bias } = readLayer(graph, behind);
      const folded = weights.map((weight, i) => weight * scale[i % features]!);
      const moved = bias.map((value, output) => {
        let sum = value;
        for (let i = 0; i < features; i++) sum += weights[output * features + i]! * shift[i]!;
        return sum;
      });
      behind.inputs[0] = node.inputs[0]!;
      writeLayer(graph, behind, folded, moved);
    } else if (before?.opType === 'Gemm' && soleConsumer(index, node.inputs[0]!) === node) {
      const { weights, bias } = readLayer(graph, before);
      const inputs = weights.length / features;
      const folded = weights.map((weight, i) => weight * scale[Math.floor(i / inputs)]!);
      writeLayer(
        graph,
        before,
        folded,
        bias.map((value, i) => value * scale[i]! + shift[i]!),
      );
      before.outputs = [node.outputs[0]!];
    } else continue;
    removeNode(graph, node);
  }
}

function readLayer(graph: OnnxGraph, { inputs }: OnnxNode) {
  const [weights, bias] = [1, 2].map((position) => {
    const name = inputs[position]!;
    return toFloat32(graph.initializers.get(name)!, name);
  }) as [Float32Array, Float32Array];
  return { weights, bias };
}

/** Weights may be shared with another node, so the folded ones never take their place. */
function writeLayer(graph: OnnxGraph, node: OnnxNode, weights: Float32Array, bias: Float32Array): void {
  const names = [
    toFreshName(graph, `${node.inputs[1]}_folded`),
    toFreshName(graph, `${node.inputs[2]}_folded`),
  ];
  graph.initializers.set(names[0]!, fp32Tensor([bias.length, weights.length / bias.length], weights));
  graph.initializers.set(names[1]!, fp32Tensor([bias.length], bias));
  node.inputs = [node.inputs[0]!, ...names];
}
