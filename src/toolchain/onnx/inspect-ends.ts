import { UnsupportedGraphError } from './onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxNode, soleConsumer } from './onnx-graph.ts';

/** Nodes that pass values on as they are, but for their type. */
const inert: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Dropout']);
/** Nodes with which exporters put a mean and a standard deviation, or 1/255, before the network. */
const arithmetic: ReadonlySet<string> = new Set(['Sub', 'Div', 'Mul', 'Add']);

/**
 * What the graph's output is. A Softmax or a Sigmoid in the last place makes scores, also where the exporter put a Cast
 * (fp16 graphs) or an Identity behind it: a second softmax over them would be a wrong answer, quietly given.
 *
 * @throws {UnsupportedGraphError} if the output is an index and no score.
 */
export function readOutputKind(graph: OnnxGraph, outputName: string): 'logits' | 'probabilities' {
  const { producers } = indexGraph(graph);
  let last = producers.get(outputName);
  while (last && inert.has(last.opType)) last = producers.get(last.inputs[0] ?? '');
  if (last?.opType === 'ArgMax' || last?.opType === 'TopK') {
    throw new UnsupportedGraphError(
      last,
      'the graph gives the best class and no scores: export the model without its last node, so that it ends in logits',
    );
  }
  return last?.opType === 'Softmax' || last?.opType === 'Sigmoid' ? 'probabilities' : 'logits';
}

/**
 * The service normalises pixels as the manifest says. A graph that normalises its input as well would see them twice
 * normalised.
 *
 * @throws {UnsupportedGraphError} naming the node.
 */
export function assertPlainInput(graph: OnnxGraph, inputName: string): void {
  const index = indexGraph(graph);
  let name = inputName;
  for (let node = soleConsumer(index, name); node; node = soleConsumer(index, name)) {
    if (isNormalisation(node, graph)) {
      throw new UnsupportedGraphError(
        node,
        'the graph normalises its input itself, and the service would do it again: export the network alone, and say its mean and standard deviation with --preprocess',
      );
    }
    if (!inert.has(node.opType)) return;
    name = node.outputs[0] ?? '';
  }
}

/** Arithmetic with one constant, or with one for each of three channels. */
function isNormalisation({ opType, inputs }: OnnxNode, graph: OnnxGraph): boolean {
  if (!arithmetic.has(opType)) return false;
  return inputs.some((input) => {
    const constant = graph.initializers.get(input) ?? readConstant(input, graph);
    if (!constant) return false;
    const elements = constant.shape.reduce((product, size) => product * size, 1);
    return elements === 1 || elements === 3;
  });
}

function readConstant(name: string, graph: OnnxGraph): { readonly shape: readonly number[] } | undefined {
  const node = graph.nodes.find(({ opType, outputs }) => opType === 'Constant' && outputs[0] === name);
  const value = node?.attributes.get('value');
  if (value?.type === 'TENSOR') return value.value;
  return node ? { shape: [] } : undefined;
}
