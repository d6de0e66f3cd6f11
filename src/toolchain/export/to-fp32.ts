import type { OnnxGraph, OnnxNode } from '../onnx/onnx-graph.ts';
import { parseModel, serialiseModel } from '../onnx/onnx-model.ts';
import { fp32Tensor, type OnnxTensor } from '../onnx/onnx-tensor.ts';

/**
 * Removes the quantization of a QDQ graph: weights become FP32 again, and QuantizeLinear and DequantizeLinear of
 * activations are removed. A result with zero point 0 has no negative values, so the ReLU that the quantizer merged into it
 * is added again. The network is the same, without the rounding of activations.
 *
 * @param int8 an ONNX file in QDQ form.
 */
export function toFp32(int8: Uint8Array): Uint8Array {
  const model = parseModel(int8);
  const { graph } = model;
  const renamed = new Map<string, string>();
  const resolve = (name: string): string => {
    const target = renamed.get(name);
    return target === undefined ? name : resolve(target);
  };
  const kept: OnnxNode[] = [];
  const merged = new Set(
    graph.nodes
      .filter(({ opType }) => opType === 'Conv' || opType === 'Add')
      .map(({ outputs }) => outputs[0]!),
  );
  for (const node of graph.nodes) {
    const [input, scale, zeroPoint] = node.inputs as [string, string, string];
    const weights = graph.initializers.get(input);
    if (node.opType === 'DequantizeLinear' && weights) {
      const axis = node.attributes.get('axis');
      const value = dequantize(
        weights,
        graph.initializers.get(scale)!,
        graph.initializers.get(zeroPoint),
        axis?.type === 'INT' ? axis.value : 1,
      );
      graph.initializers.set(node.outputs[0]!, value);
    } else if (node.opType === 'QuantizeLinear' && merged.has(input) && zeroOf(graph, zeroPoint) === 0) {
      kept.push({
        ...node,
        name: `${input}_relu`,
        opType: 'Relu',
        inputs: [input],
        attributes: new Map(),
      });
    } else if (node.opType === 'QuantizeLinear' || node.opType === 'DequantizeLinear') {
      renamed.set(node.outputs[0]!, input);
    } else kept.push(node);
  }
  for (const node of kept) node.inputs = node.inputs.map(resolve);
  for (const output of graph.outputs) {
    const source = resolve(output.name);
    for (const node of kept)
      node.outputs = node.outputs.map((name) => (name === source ? output.name : name));
  }
  graph.nodes = kept;
  const used = new Set(kept.flatMap((node) => node.inputs));
  for (const name of [...graph.initializers.keys()]) if (!used.has(name)) graph.initializers.delete(name);
  return serialiseModel(model);
}

function zeroOf(graph: OnnxGraph, zeroPoint: string): number {
  return Number(graph.initializers.get(zeroPoint)?.data[0] ?? 0);
}

function dequantize(
  tensor: OnnxTensor,
  scale: OnnxTensor,
  zeroPoint: OnnxTensor | undefined,
  axis: number,
): OnnxTensor {
  const scales = scale.data as Float32Array;
  const inner = tensor.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const channels = scales.length;
  const data = Float32Array.from({ length: tensor.data.length }, (_, index) => {
    const channel = channels === 1 ? 0 : Math.floor(index / inner) % channels;
    return (Number(tensor.data[index]) - Number(zeroPoint?.data[channel] ?? 0)) * scales[channel]!;
  });
  return fp32Tensor([...tensor.shape], data);
}
