import { removeNode, toFreshName } from '../../onnx/graph-edit.ts';
import { indexGraph, type OnnxGraph, type OnnxNode, soleConsumer } from '../../onnx/onnx-graph.ts';
import { fp32Tensor, toFloat32 } from '../../onnx/onnx-tensor.ts';
import type { InferredShapes } from '../../onnx/shape-inference.ts';
import { type Affine, parseAffine } from './affine.ts';

/**
 * Folds every per-channel `x * scale + shift` (BatchNormalization, and arithmetic with a constant) into the
 * convolution before it. One that follows no convolution of its own (pre-activation ResNets, a
 * normalisation of the input) becomes a depthwise 1x1 convolution, which has an integer kernel.
 *
 * @param inferred shapes of the graph as it is.
 * @throws {UnsupportedGraphError} At a BatchNormalization in training mode or with computed parameters.
 */
export function foldAffine(graph: OnnxGraph, inferred: InferredShapes): void {
  for (const node of [...graph.nodes]) {
    const affine = parseAffine(graph, node, inferred);
    if (affine === undefined) continue;
    const index = indexGraph(graph);
    const conv = index.producers.get(affine.input);
    if (conv?.opType === 'Conv' && soleConsumer(index, affine.input) === node && ownsWeights(graph, conv)) {
      foldIntoConv(graph, conv, affine);
      conv.outputs = [node.outputs[0] as string];
      removeNode(graph, node);
    } else {
      toDepthwiseConv(graph, node, affine);
    }
  }
}

function ownsWeights(graph: OnnxGraph, conv: OnnxNode): boolean {
  const [, weights, bias] = conv.inputs;
  return graph.initializers.has(weights ?? '') && (!bias || graph.initializers.has(bias));
}

function foldIntoConv(graph: OnnxGraph, conv: OnnxNode, { scale, shift }: Affine): void {
  const [data, weightsName, biasName] = conv.inputs as [string, string, string | undefined];
  const tensor = graph.initializers.get(weightsName) as NonNullable<
    ReturnType<typeof graph.initializers.get>
  >;
  const weights = toFloat32(tensor, weightsName);
  const channels = scale.length;
  const perChannel = weights.length / channels;
  const bias = biasName
    ? toFloat32(graph.initializers.get(biasName) as typeof tensor, biasName)
    : new Float32Array(channels);
  const folded = weights.map((weight, i) => weight * scale[Math.floor(i / perChannel)]!);
  const foldedBias = bias.map((value, i) => value * scale[i]! + shift[i]!);
  // Weights may be shared with another node, so the folded ones never take their place.
  const newWeights = toFreshName(graph, `${weightsName}_folded`);
  const newBias = toFreshName(graph, `${biasName || weightsName}_bias_folded`);
  graph.initializers.set(newWeights, fp32Tensor(tensor.shape, folded));
  graph.initializers.set(newBias, fp32Tensor([channels], foldedBias));
  conv.inputs = [data, newWeights, newBias];
}

function toDepthwiseConv(graph: OnnxGraph, node: OnnxNode, { input, scale, shift }: Affine): void {
  const channels = scale.length;
  const output = node.outputs[0] as string;
  const weights = toFreshName(graph, `${output}_scale`);
  const bias = toFreshName(graph, `${output}_shift`);
  graph.initializers.set(weights, fp32Tensor([channels, 1, 1, 1], Float32Array.from(scale)));
  graph.initializers.set(bias, fp32Tensor([channels], Float32Array.from(shift)));
  node.opType = 'Conv';
  node.inputs = [input, weights, bias];
  node.outputs.length = 1;
  node.attributes = new Map([
    ['dilations', { type: 'INTS', value: [1, 1] }],
    ['group', { type: 'INT', value: channels }],
    ['kernel_shape', { type: 'INTS', value: [1, 1] }],
    ['pads', { type: 'INTS', value: [0, 0, 0, 0] }],
    ['strides', { type: 'INTS', value: [1, 1] }],
  ]);
}
