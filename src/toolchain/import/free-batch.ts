import type { OnnxGraph } from '../onnx/onnx-graph.ts';
import { int64Tensor, toIntegers } from '../onnx/onnx-tensor.ts';

/**
 * Frees a batch size that the exporter fixed: in the input, in the outputs, and in each Reshape that spells it out.
 *
 * @param graph is rewritten in place; its constants are initializers.
 * @returns the size that was fixed; undefined if it was free.
 */
export function freeBatch(graph: OnnxGraph): number | undefined {
  const input = graph.inputs[0]!;
  const fixed = input.shape?.[0];
  const free = <T extends { readonly shape: readonly (number | string)[] | undefined }>(value: T): T => ({
    ...value,
    shape: value.shape && ['N', ...value.shape.slice(1)],
  });
  graph.inputs = graph.inputs.map(free);
  graph.outputs = graph.outputs.map(free);
  if (typeof fixed !== 'number') return undefined;
  for (const node of graph.nodes) {
    if (node.opType !== 'Reshape') continue;
    const name = node.inputs[1] ?? '';
    const tensor = graph.initializers.get(name);
    const [first, ...rest] = tensor ? toIntegers(tensor, name) : [];
    if (first !== fixed || rest.includes(0)) continue;
    const own = `${name}_of_${node.outputs[0]}`;
    // 0 copies the batch size, which allowzero would forbid.
    graph.initializers.set(own, int64Tensor([0, ...rest]));
    node.attributes.delete('allowzero');
    node.inputs[1] = own;
  }
  return fixed;
}
