import { parseModel, serialiseModel } from '../../src/toolchain/onnx/onnx-model.ts';

/**
 * A QDQ ResNet whose graph also gives the dequantized output of each residual block, for onnxruntime to tell what the
 * blocks hold.
 *
 * @returns the model, and the names of the added outputs, first block first.
 */
export function exposeBlockOutputs(onnx: Uint8Array): {
  readonly model: Uint8Array;
  readonly names: string[];
} {
  const model = parseModel(onnx);
  const { nodes, outputs } = model.graph;
  const readerOf = (tensor: string, opType: string) =>
    nodes.find((node) => node.opType === opType && node.inputs[0] === tensor);
  const names = nodes
    .filter(({ opType }) => opType === 'Add')
    .map(({ outputs: [sum] }) => {
      const activated = readerOf(sum!, 'Relu')?.outputs[0] ?? sum!;
      const quantized = readerOf(activated, 'QuantizeLinear')!.outputs[0]!;
      return readerOf(quantized, 'DequantizeLinear')!.outputs[0]!;
    });
  const added = names.map((name) => ({ ...outputs[0]!, name, shape: undefined }));
  return {
    model: serialiseModel({ ...model, graph: { ...model.graph, outputs: [...outputs, ...added] } }),
    names,
  };
}
