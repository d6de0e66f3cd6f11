import { bypassNode, toFreshName } from '../onnx/graph-edit.ts';
import { intAttribute } from '../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxNode } from '../onnx/onnx-graph.ts';
import { datatypeCodes, fp32Tensor, type OnnxTensor } from '../onnx/onnx-tensor.ts';
import { behindInertNodes } from './choose-output.ts';

/** The activation at the end of a graph, which the service applies instead. */
export type FinalActivation = 'Softmax' | 'LogSoftmax' | 'Sigmoid';

/**
 * Removes a final Softmax or Sigmoid, so that the graph gives logits on every runtime. It also finds one before a Cast
 * (fp16 graphs), an Identity or a Flatten, because a second softmax over its scores would give a wrong answer.
 *
 * @param graph has one output; is rewritten in place.
 * @returns the activation that was removed; undefined if the graph ends in something else.
 */
export function takeOffActivation(graph: OnnxGraph): FinalActivation | undefined {
  const output = graph.outputs[0]!.name;
  dropTrailingNodes(graph, output);
  const { node } = behindInertNodes(output, indexGraph(graph).producers);
  if (!node) return undefined;
  const { opType } = node;
  if (opType !== 'Softmax' && opType !== 'LogSoftmax' && opType !== 'Sigmoid') return undefined;
  const axis = opType === 'Sigmoid' ? 1 : intAttribute(node, 'axis', -1);
  // Along another axis than the classes it is not a final activation.
  if (axis !== 1 && axis !== -1) return undefined;
  bypassNode(graph, node, node.inputs[0]!);
  dropTrailingNodes(graph, output);
  return opType;
}

/** Removes a final Identity or Cast: it does nothing to floats, and the engine does not run it. */
function dropTrailingNodes(graph: OnnxGraph, output: string): void {
  for (;;) {
    const last = indexGraph(graph).producers.get(output);
    if (last?.opType !== 'Identity' && last?.opType !== 'Cast') return;
    bypassNode(graph, last, last.inputs[0]!);
  }
}

/**
 * Brings the output to FP32 [batch, classes].
 *
 * @param made the output of one image.
 * @returns the number of classes.
 * @throws {UnsupportedGraphError} if the output is not one row of floats.
 */
export function toRow(graph: OnnxGraph, made: OnnxTensor): number {
  const output = graph.outputs[0]!;
  const [batch, ...rest] = made.shape;
  const classes = rest.reduce((product, size) => product * size, 1);
  const isMap = rest.filter((size) => size !== 1).length > 1;
  if (batch !== 1 || rest.length === 0 || isMap || made.datatype !== 'FP32') {
    throw new UnsupportedGraphError(
      undefined,
      `the output '${output.name}' is ${made.datatype} [${made.shape}] for one image, where a row of scores [1, classes] was expected${isMap ? ': is it a feature map?' : ''}`,
    );
  }
  if (rest.length > 1) appendNode(graph, 'Flatten', [], new Map([['axis', { type: 'INT', value: 1 }]]));
  const isDeclared = output.shape?.length === 2 && output.elementType === datatypeCodes.FP32;
  if (!isDeclared) {
    graph.outputs = [{ name: output.name, elementType: datatypeCodes.FP32, shape: ['N', classes] }];
  }
  return classes;
}

/**
 * Turns one number for an image into two logits, 0 and the number. Their softmax is 1 - p and p, where p is the number's
 * sigmoid. So a model of two classes is served like every other.
 */
export function splitLogit(graph: OnnxGraph): void {
  const output = graph.outputs[0]!;
  graph.outputs = [{ ...output, shape: ['N', 2] }];
  const last = indexGraph(graph).producers.get(output.name);
  if (last && splitLayer(graph, last)) return;
  const factors = toFreshName(graph, 'zero_and_one');
  graph.initializers.set(factors, fp32Tensor([1, 2], Float32Array.of(0, 1)));
  appendNode(graph, 'Mul', [factors], new Map());
}

/**
 * The same inside the last layer, where its weights are constants: one row of weights becomes two, the first of zeros.
 * The layer is a Gemm, or a MatMul with an Add behind it or without.
 */
function splitLayer(graph: OnnxGraph, last: OnnxNode): boolean {
  const { producers } = indexGraph(graph);
  const biasAt = last.opType === 'Add' ? last.inputs.findIndex((name) => graph.initializers.has(name)) : -1;
  const layer = biasAt < 0 ? last : producers.get(last.inputs[1 - biasAt]!);
  const isLayer = layer?.opType === 'MatMul' || (layer?.opType === 'Gemm' && biasAt < 0);
  const weights = graph.initializers.get(layer?.inputs[1] ?? '');
  const bias = biasAt < 0 ? layer?.inputs[2] : last.inputs[biasAt];
  const offset = graph.initializers.get(bias ?? '');
  if (!layer || !isLayer || weights?.datatype !== 'FP32' || (bias && offset?.datatype !== 'FP32'))
    return false;
  const isTransposed = layer.opType === 'Gemm' && intAttribute(layer, 'transB', 0) === 1;
  const { length } = weights.data;
  const twice = new Float32Array(length * 2);
  weights.data.forEach((value, i) => {
    twice[isTransposed ? length + i : 2 * i + 1] = value;
  });
  layer.inputs[1] = addConstant(
    graph,
    `${layer.inputs[1]}_two`,
    isTransposed ? [2, length] : [length, 2],
    twice,
  );
  if (!bias || offset?.datatype !== 'FP32') return true;
  const both = addConstant(graph, `${bias}_two`, [2], Float32Array.of(0, offset.data[0]!));
  if (biasAt < 0) layer.inputs[2] = both;
  else last.inputs[biasAt] = both;
  return true;
}

function addConstant(graph: OnnxGraph, base: string, shape: number[], values: Float32Array): string {
  const name = toFreshName(graph, base);
  graph.initializers.set(name, fp32Tensor(shape, values));
  return name;
}

/** Puts a node behind the output, which keeps its name. */
function appendNode(
  graph: OnnxGraph,
  opType: string,
  constants: string[],
  attributes: OnnxNode['attributes'],
): void {
  const output = graph.outputs[0]!.name;
  const inner = toFreshName(graph, `${output}_before_${opType.toLowerCase()}`);
  for (const node of graph.nodes) {
    node.outputs = node.outputs.map((name) => (name === output ? inner : name));
    node.inputs = node.inputs.map((name) => (name === output ? inner : name));
  }
  graph.nodes.push({
    name: `${output}_${opType.toLowerCase()}`,
    opType,
    domain: '',
    inputs: [inner, ...constants],
    outputs: [output],
    attributes,
  });
}
