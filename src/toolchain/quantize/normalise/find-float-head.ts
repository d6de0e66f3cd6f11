import { indexGraph, type OnnxGraph, type OnnxNode } from '../../onnx/onnx-graph.ts';
import type { InferredShapes } from '../../onnx/shape-inference.ts';

const pools: ReadonlySet<string> = new Set(['GlobalAveragePool', 'GlobalMaxPool']);

/**
 * What follows the pooled features, where it is more than the one layer that is quantized: several layers, two pools, a
 * BatchNorm. It is tiny and stays in floats, so that no head keeps a ResNet from being quantized.
 *
 * @returns the nodes, pools included; none where the classifier is the usual one, or where pooled values go back into
 *   the network (squeeze-and-excitation).
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
