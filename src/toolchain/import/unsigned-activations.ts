import { indexGraph, type OnnxGraph, type OnnxNode } from '../onnx/onnx-graph.ts';

/**
 * Turns S8 activations into U8 by adding 128 to zero points and values. Products use differences to the zero point, which
 * do not change. onnxruntime fuses all groups with U8 activations and S8 weights, but runs much of a graph with S8
 * activations in floats.
 *
 * @param graph in QDQ format; its QuantizeLinear and DequantizeLinear of activations are rewritten in place.
 * @returns whether there were any.
 */
export function makeActivationsUnsigned(graph: OnnxGraph): boolean {
  const { producers } = indexGraph(graph);
  const isOfActivation = ({ opType, inputs }: OnnxNode) =>
    opType === 'QuantizeLinear' ||
    (opType === 'DequantizeLinear' && (producers.has(inputs[0]!) || graph.inputs[0]?.name === inputs[0]));
  let changed = false;
  for (const node of graph.nodes) {
    const name = node.inputs[2] ?? '';
    const zeroPoint = graph.initializers.get(name);
    if (!isOfActivation(node) || zeroPoint?.datatype !== 'INT8') continue;
    const own = `${name}_u8`;
    const data = Uint8Array.from(zeroPoint.data, (value) => value + 128);
    graph.initializers.set(own, { datatype: 'UINT8', shape: zeroPoint.shape, data });
    node.inputs[2] = own;
    changed = true;
  }
  return changed;
}
