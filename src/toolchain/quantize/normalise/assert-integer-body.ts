import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxNode, soleConsumer } from '../../onnx/onnx-graph.ts';
import type { InferredShapes } from '../../onnx/shape-inference.ts';

/**
 * The last check of a normalised graph: it has only operators for which ONNX Runtime and our own engine have integer
 * kernels, arranged so that each of them gets one.
 *
 * @param head nodes that stay in floats.
 * @throws {UnsupportedGraphError} At the first node that would run in floats.
 */
export function assertIntegerBody(
  graph: OnnxGraph,
  { shapes }: InferredShapes,
  head: ReadonlySet<OnnxNode>,
): void {
  const index = indexGraph(graph);
  const isConstant = (name: string | undefined) => graph.initializers.has(name ?? '');
  for (const node of graph.nodes) {
    if (head.has(node)) continue;
    switch (node.opType) {
      case 'Conv':
        if (!isConstant(node.inputs[1]) || (node.inputs[2] && !isConstant(node.inputs[2]))) {
          throw new UnsupportedGraphError(node, 'its weights and bias must be constants');
        }
        break;
      case 'Relu':
      case 'Clip': {
        const source = index.producers.get(node.inputs[0] as string);
        const isMergeable = source?.opType === 'Conv' || source?.opType === 'Add';
        if (!isMergeable || soleConsumer(index, node.inputs[0] as string) !== node) {
          throw new UnsupportedGraphError(node, 'must be the only reader of a Conv or Add, to merge with it');
        }
        break;
      }
      case 'Add': {
        const [left, right] = node.inputs.map((input) => shapes.get(input)?.join());
        if (left !== right || node.inputs.some(isConstant)) {
          throw new UnsupportedGraphError(
            node,
            `adds [${left}] and [${right}], which is no residual connection`,
          );
        }
        break;
      }
      case 'Pad': // makePaddingExplicit leaves those alone that stand before a MaxPool
      case 'MaxPool':
      case 'AveragePool':
      case 'GlobalAveragePool':
      case 'Flatten':
        break;
      case 'Gemm':
        if (!index.outputNames.has(node.outputs[0] as string)) {
          throw new UnsupportedGraphError(node, 'the classifier must make the output of the model');
        }
        break;
      default:
        throw new UnsupportedGraphError(node, 'not an operator of a ResNet classifier');
    }
  }
  if (head.size === 0) assertEndsInClassifier(graph, index.producers);
}

function assertEndsInClassifier(graph: OnnxGraph, producers: ReadonlyMap<string, OnnxNode>): void {
  const output = graph.outputs[0]?.name as string;
  const last = producers.get(output);
  if (last?.opType !== 'Gemm') {
    throw new UnsupportedGraphError(
      last,
      `the output '${output}' must come from a Gemm or MatMul classifier`,
    );
  }
}
