import { removeNode, toFreshName } from '../../onnx/graph-edit.ts';
import { floatAttribute, intAttribute } from '../../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxNode, soleConsumer } from '../../onnx/onnx-graph.ts';
import { elementCount, fp32Tensor, toFloat32 } from '../../onnx/onnx-tensor.ts';

/**
 * One spelling for the classifier: Gemm with weights [classes, features], a bias [classes], and neither
 * alpha, beta nor transA. MatMul, and the Add behind it, become one too.
 *
 * @throws {UnsupportedGraphError} If the weights are not constant, or an input is transposed.
 */
export function canonicaliseClassifier(graph: OnnxGraph): void {
  for (const node of [...graph.nodes]) {
    if (node.opType === 'MatMul') rewriteMatMul(graph, node);
    else if (node.opType === 'Gemm') rewriteGemm(graph, node);
  }
}

function rewriteMatMul(graph: OnnxGraph, node: OnnxNode): void {
  const [classes, weights] = transposedWeights(graph, node, false, 1);
  const add = soleConsumer(indexGraph(graph), node.outputs[0] as string);
  const biasName =
    add?.opType === 'Add' ? add.inputs.find((input) => graph.initializers.has(input)) : undefined;
  const bias = biasName === undefined ? new Float32Array(classes) : toBias(graph, node, biasName, classes, 1);
  if (add !== undefined && biasName !== undefined) {
    node.outputs = add.outputs;
    removeNode(graph, add);
  }
  setGemm(graph, node, classes, weights, bias, biasName);
}

function rewriteGemm(graph: OnnxGraph, node: OnnxNode): void {
  if (intAttribute(node, 'transA', 0) !== 0)
    throw new UnsupportedGraphError(node, 'transposes its input (transA)');
  const isTransposed = intAttribute(node, 'transB', 0) === 1;
  const [classes, weights] = transposedWeights(graph, node, isTransposed, floatAttribute(node, 'alpha', 1));
  const biasName = node.inputs[2];
  const bias = biasName
    ? toBias(graph, node, biasName, classes, floatAttribute(node, 'beta', 1))
    : new Float32Array(classes);
  setGemm(graph, node, classes, weights, bias, biasName);
}

/** @returns The number of classes, and the weights as [classes, features] times `alpha`. */
function transposedWeights(
  graph: OnnxGraph,
  node: OnnxNode,
  isTransposed: boolean,
  alpha: number,
): [number, Float32Array] {
  const name = node.inputs[1] as string;
  const tensor = graph.initializers.get(name);
  if (tensor?.shape.length !== 2) {
    throw new UnsupportedGraphError(node, 'its weights must be a constant of two dimensions');
  }
  const source = toFloat32(tensor, name);
  const [first, second] = tensor.shape as [number, number];
  if (isTransposed) return [first, alpha === 1 ? source : source.map((weight) => weight * alpha)];
  const weights = new Float32Array(source.length);
  for (let feature = 0; feature < first; feature++) {
    for (let index = 0; index < second; index++) {
      weights[index * first + feature] = source[feature * second + index]! * alpha;
    }
  }
  return [second, weights];
}

function toBias(graph: OnnxGraph, node: OnnxNode, name: string, classes: number, beta: number): Float32Array {
  const tensor = graph.initializers.get(name);
  const count = tensor === undefined ? 0 : elementCount(tensor.shape);
  if (tensor === undefined || (count !== 1 && (count !== classes || tensor.shape.at(-1) !== classes))) {
    throw new UnsupportedGraphError(node, `its bias must be a constant of ${classes} elements`);
  }
  const source = toFloat32(tensor, name);
  return Float32Array.from({ length: classes }, (_, i) => source[count === 1 ? 0 : i]! * beta);
}

function setGemm(
  graph: OnnxGraph,
  node: OnnxNode,
  classes: number,
  weights: Float32Array,
  bias: Float32Array,
  biasName: string | undefined,
): void {
  const data = node.inputs[0] as string;
  const oldWeights = node.inputs[1] as string;
  // The old tensors die with the graph's next cleaning, so a name may be taken over unless it is shared.
  const readers = indexGraph(graph).consumers;
  const nameFor = (old: string | undefined, fallback: string) =>
    old && (readers.get(old)?.length ?? 0) <= 1 ? old : toFreshName(graph, fallback);
  const weightsName = nameFor(oldWeights, `${node.outputs[0]}_weight`);
  graph.initializers.set(weightsName, fp32Tensor([classes, weights.length / classes], weights));
  const newBias = nameFor(biasName, `${node.outputs[0]}_bias`);
  graph.initializers.set(newBias, fp32Tensor([classes], bias));
  node.opType = 'Gemm';
  node.inputs = [data, weightsName, newBias];
  node.attributes = new Map([['transB', { type: 'INT', value: 1 }]]);
}
