import { indexGraph, type OnnxGraph, type OnnxNode } from '../../onnx/onnx-graph.ts';
import type { InferredShapes } from '../../onnx/shape-inference.ts';

const pools: ReadonlySet<string> = new Set(['GlobalAveragePool', 'GlobalMaxPool']);

/**
 * Finds a head that is more than one layer behind the pooled features: several layers, two pools, a BatchNorm. It is tiny
 * and stays in floats, so that a ResNet with any head can be quantized.
 *
 * @returns the nodes, including the pools; none if the head is one layer, or if pooled values go back into the network
 *   (squeeze-and-excitation).
 */
export function findFloatHead(graph: OnnxGraph, { shapes }: InferredShapes): ReadonlySet<OnnxNode> {
  const { producers, outputNames } = indexGraph(graph);
  const head = new Set<OnnxNode>();
  for (const node of graph.nodes) {
    const follows = node.inputs.some((input) => head.has(producers.get(input)!));
    if (follows || pools.has(node.opType)) head.add(node);
  }
  const isOfFeatures = ({ outputs }: OnnxNode) => {
    const [, , ...sides] = shapes.get(outputs[0] ?? '') ?? [1, 1, 2];
    return sides.every((side) => side === 1);
  };
  const makesOutput = [...head].some(({ outputs }) => outputs.some((name) => outputNames.has(name)));
  if (!makesOutput || ![...head].every(isOfFeatures) || isUsual(head)) return new Set();
  return head;
}

function isUsual(head: ReadonlySet<OnnxNode>): boolean {
  return [...head].map(({ opType }) => opType).join() === 'GlobalAveragePool,Flatten,Gemm';
}
