import { removeDeadNodes } from '../onnx/graph-edit.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxNode } from '../onnx/onnx-graph.ts';

/** Nodes that change only the type or the shape of values. */
const inert: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Dropout', 'Flatten', 'Reshape', 'Squeeze']);
/** Nodes that say which class is best, and not by how much. */
const choosers: ReadonlySet<string> = new Set([
  'ArgMax',
  'ArgMin',
  'TopK',
  'Hardmax',
  'Greater',
  'GreaterOrEqual',
]);

/**
 * Leaves a graph one output, and what that output needs.
 *
 * @param name any tensor of the graph; nodes behind it are cut off. May be left out if there is one output.
 * @throws {UnsupportedGraphError} with the outputs to choose from; or if the output is not a score.
 */
export function chooseOutput(graph: OnnxGraph, name?: string): void {
  if (name === undefined && graph.outputs.length !== 1) {
    const names = graph.outputs.map((output) => `'${output.name}' [${output.shape ?? '?'}]`).join(', ');
    throw new UnsupportedGraphError(
      undefined,
      `the model has ${graph.outputs.length} outputs, ${names}: choose the scores with --output NAME`,
    );
  }
  const { producers } = indexGraph(graph);
  const chosen = name ?? graph.outputs[0]!.name;
  if (!producers.has(chosen)) {
    const names = graph.outputs.map((output) => output.name).join(', ');
    throw new UnsupportedGraphError(undefined, `the graph makes no '${chosen}'. Its outputs: ${names}`);
  }
  const declared = graph.outputs.find((output) => output.name === chosen);
  graph.outputs = [declared ?? { name: chosen, elementType: 0, shape: undefined }];
  const { node, source } = behindInertNodes(chosen, producers);
  if (node && choosers.has(node.opType)) {
    throw new UnsupportedGraphError(
      node,
      `the graph gives the best class and no scores. What it chooses from is there: add --output '${source}'`,
    );
  }
  removeDeadNodes(graph);
}

/** @returns the node that makes what a tensor holds, and that node's first input. */
export function behindInertNodes(
  tensor: string,
  producers: ReadonlyMap<string, OnnxNode>,
): { readonly node: OnnxNode | undefined; readonly source: string } {
  let node = producers.get(tensor);
  while (node && inert.has(node.opType)) node = producers.get(node.inputs[0] ?? '');
  return { node, source: node?.inputs[0] ?? '' };
}
