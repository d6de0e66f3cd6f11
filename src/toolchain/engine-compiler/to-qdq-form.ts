import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxNode } from '../onnx/onnx-graph.ts';

/** Names of the scale and the zero point of a quantized tensor. */
type Sidecars = readonly [scale: string, zeroPoint: string];

/** For each QLinear operator: the float operator, and the number of quantized operands. */
const floatOperators: Readonly<Record<string, { readonly opType: string; readonly operands: number }>> = {
  QLinearConv: { opType: 'Conv', operands: 2 },
  QGemm: { opType: 'Gemm', operands: 2 },
  QLinearAdd: { opType: 'Add', operands: 2 },
  QLinearAveragePool: { opType: 'AveragePool', operands: 1 },
  QLinearGlobalAveragePool: { opType: 'GlobalAveragePool', operands: 1 },
};

/** Operators that pass quantized values on: their result has the quantization of their input. */
const passing: ReadonlySet<string> = new Set(['MaxPool', 'Flatten', 'Reshape', 'Squeeze', 'Identity']);

/**
 * Turns a graph in onnxruntime's operator format (QLinearConv, QLinearAdd ...) into QDQ format, in which each operator
 * stands between DequantizeLinear and QuantizeLinear. ONNX Runtime does the reverse to a QDQ graph; the arithmetic is the
 * same.
 *
 * @returns the graph itself if it has no such operators.
 * @throws {UnsupportedGraphError} naming an operator that has no such form.
 */
export function toQdqForm(graph: OnnxGraph): OnnxGraph {
  if (!graph.nodes.some(({ opType }) => floatOperators[opType])) return graph;
  const sidecars = new Map<string, Sidecars>();
  const nodes: OnnxNode[] = [];
  let serial = 0;
  const make = (opType: string, inputs: string[], output: string) =>
    nodes.push({ name: output, opType, domain: '', inputs, outputs: [output], attributes: new Map() });
  const dequantize = (tensor: string, own: Sidecars): string => {
    const name = `${tensor}_float_${serial++}`;
    make('DequantizeLinear', [tensor, ...own], name);
    return name;
  };
  const emit = (node: OnnxNode, opType: string, inputs: string[], own: Sidecars) => {
    const [output = ''] = node.outputs;
    const result = `${output}_float`;
    nodes.push({ ...node, opType, domain: '', inputs, outputs: [result] });
    make('QuantizeLinear', [result, ...own], output);
    sidecars.set(output, own);
  };
  for (const node of graph.nodes) {
    const form = floatOperators[node.opType];
    const source = sidecars.get(node.inputs[0] ?? '');
    if (form) {
      const operands = Array.from({ length: form.operands }, (_, i) => {
        const [tensor, scale, zeroPoint] = node.inputs.slice(3 * i, 3 * i + 3) as [string, string, string];
        return dequantize(tensor, [scale, zeroPoint]);
      });
      const { result, bias } = readRest(node, form.operands);
      // A bias is integers, whose scale follows from the scales of the operands.
      if (bias) operands.push(dequantize(bias, [node.inputs[4]!, '']));
      emit(node, form.opType, operands, result);
    } else if (passing.has(node.opType) && source) {
      emit(node, node.opType, [dequantize(node.inputs[0]!, source), ...node.inputs.slice(1)], source);
    } else {
      if (node.domain !== '')
        throw new UnsupportedGraphError(
          node,
          'the int8 engine has no such operator; onnxruntime-web runs it',
        );
      nodes.push(node);
      if (node.opType === 'QuantizeLinear')
        sidecars.set(node.outputs[0]!, [node.inputs[1]!, node.inputs[2] ?? '']);
    }
  }
  return { ...graph, nodes };
}

/** What stands behind the operands: the result's scale and zero point, and the bias, before them (QGemm) or behind. */
function readRest({ opType, inputs }: OnnxNode, operands: number) {
  const rest = inputs.slice(3 * operands);
  const [first = '', second = '', third = ''] = rest;
  return opType === 'QGemm'
    ? { result: [second, third] as const, bias: first }
    : { result: [first, second] as const, bias: third };
}
