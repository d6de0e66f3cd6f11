import { removeDeadNodes, toFreshName } from '../onnx/graph-edit.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import type { AttributeValue, OnnxGraph, OnnxNode } from '../onnx/onnx-graph.ts';
import { parseModel, serialiseModel } from '../onnx/onnx-model.ts';
import { datatypeCodes, fp32Tensor } from '../onnx/onnx-tensor.ts';

/** A linear classifier over the pooled outputs of a network's residual blocks. */
export interface AttachedHead {
  readonly classes: number;
  /** Values of each block that it reads. It reads the last blocks of the network. */
  readonly blocks: readonly number[];
  /** Divides the sums before softmax. */
  readonly temperature: number;
  /** FP32 [classes][features], row-major. */
  readonly weights: Float32Array;
  /** FP32 [classes]. */
  readonly biases: Float32Array;
}

/** Output of a graph with a head: FP32 [N, classes], after softmax. */
export const headOutput = 'probabilities';
/** Output of a graph that gives features: FP32 [N, features]. */
export const featuresOutput = 'features';

/**
 * Replaces a network's classifier by its features: the means of each residual block's channels, first block first. The
 * body does not change.
 *
 * @param onnx a QDQ ResNet.
 * @throws {UnsupportedGraphError} if it has no residual blocks.
 */
export function attachFeatures(onnx: Uint8Array): Uint8Array {
  const model = parseModel(onnx);
  const blocks = listBlockOutputs(model.graph);
  if (blocks.length === 0) throw new UnsupportedGraphError(undefined, 'the graph has no residual blocks');
  const builder = new TailBuilder(model.graph);
  const parts = blocks.map((block) => builder.pool(block));
  builder.end(builder.node('Concat', parts, { axis: 1 }), featuresOutput, 'features');
  return serialiseModel(model);
}

/**
 * Replaces a network's classifier by a head: each block is pooled, scaled to length 1 and joined with the others. The body
 * does not change and stays int8 in QDQ form, because the head has learned from its int8 features.
 *
 * @param onnx a QDQ ResNet.
 * @throws {UnsupportedGraphError} if it has no residual blocks to read, or fewer than the head has.
 */
export function attachHead(onnx: Uint8Array, head: AttachedHead): Uint8Array {
  const model = parseModel(onnx);
  const { graph } = model;
  const blocks = listBlockOutputs(graph).slice(-head.blocks.length);
  if (blocks.length < head.blocks.length) {
    throw new UnsupportedGraphError(
      undefined,
      `the head reads ${head.blocks.length} blocks, the graph has ${blocks.length}`,
    );
  }
  const builder = new TailBuilder(graph);
  const share = builder.constant('share', [1], Float32Array.of(1 / Math.sqrt(blocks.length)));
  const parts = blocks.map((block) => {
    const unit = builder.node('LpNormalization', [builder.pool(block)], { axis: 1, p: 2 });
    return builder.node('Mul', [unit, share]);
  });
  const features = head.blocks.reduce((sum, size) => sum + size, 0);
  const vector = builder.node('Concat', parts, { axis: 1 });
  const weights = builder.constant('weights', [head.classes, features], head.weights);
  const biases = builder.constant('biases', [head.classes], head.biases);
  const sums = builder.node('Gemm', [vector, weights, biases], { transB: 1 });
  const temperature = builder.constant('temperature', [1], Float32Array.of(head.temperature));
  const scaled = builder.node('Div', [sums, temperature]);
  builder.end(builder.node('Softmax', [scaled], { axis: 1 }), headOutput, head.classes);
  return serialiseModel(model);
}

/** Dequantized outputs of the residual blocks, first block first. */
function listBlockOutputs({ nodes }: OnnxGraph): string[] {
  const readerOf = (tensor: string | undefined, opType: string) =>
    nodes.find((node) => node.opType === opType && node.inputs[0] === tensor);
  return nodes
    .filter(({ opType }) => opType === 'Add')
    .map((sum) => {
      const activated = readerOf(sum.outputs[0], 'Relu') ?? sum;
      const quantized = readerOf(activated.outputs[0], 'QuantizeLinear');
      const output = readerOf(quantized?.outputs[0], 'DequantizeLinear')?.outputs[0];
      if (output !== undefined) return output;
      throw new UnsupportedGraphError(sum, 'a residual sum that is not quantized');
    });
}

/** Appends nodes and constants under names that the graph does not have. */
class TailBuilder {
  readonly #graph: OnnxGraph;

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
  }

  constant(name: string, shape: readonly number[], data: Float32Array): string {
    const own = toFreshName(this.#graph, `head_${name}`);
    this.#graph.initializers.set(own, fp32Tensor(shape, data));
    return own;
  }

  /** @returns the means of a block's channels, flat. */
  pool(block: string): string {
    return this.node('Flatten', [this.node('GlobalAveragePool', [block])], { axis: 1 });
  }

  /** Makes the last tensor the graph's only output, and removes nodes and constants that nothing reads any more. */
  end(tensor: string, name: string, width: number | string): void {
    const graph = this.#graph;
    const last = graph.nodes.at(-1);
    if (last?.outputs[0] === tensor) last.outputs[0] = name;
    const batch = graph.outputs[0]?.shape?.[0] ?? 'N';
    graph.outputs = [{ name, elementType: datatypeCodes.FP32, shape: [batch, width] }];
    removeDeadNodes(graph);
  }

  /** @returns the name of its output. */
  node(opType: string, inputs: string[], ints: Readonly<Record<string, number>> = {}): string {
    const output = toFreshName(this.#graph, `head_${opType.toLowerCase()}`);
    const attributes = new Map(
      Object.entries(ints).map(([key, value]): [string, AttributeValue] => [key, { type: 'INT', value }]),
    );
    const node: OnnxNode = { name: output, opType, domain: '', inputs, outputs: [output], attributes };
    this.#graph.nodes.push(node);
    return output;
  }
}
