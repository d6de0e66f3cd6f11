import type { OnnxGraph, OnnxModel } from './onnx-graph.ts';
import { elementCount } from './onnx-tensor.ts';

/** The parts of a graph. */
export interface ModelInspection {
  /** Elements of all floating point or quantized weights; scales and zero points left out. */
  readonly parameterCount: number;
  /** INT8 if the graph quantizes or dequantizes anything. */
  readonly datatype: 'FP32' | 'INT8';
  /** How often each operator occurs. */
  readonly operators: Readonly<Record<string, number>>;
}

/** Counts, without judging whether the graph can be quantized. */
export function inspectModel({ graph }: OnnxModel): ModelInspection {
  const operators: Record<string, number> = {};
  for (const { opType } of graph.nodes) operators[opType] = (operators[opType] ?? 0) + 1;
  return {
    parameterCount: countParameters(graph),
    datatype: Object.keys(operators).some((type) => /Quantize|^QLinear|^QGemm|Integer$/.test(type))
      ? 'INT8'
      : 'FP32',
    operators,
  };
}

function countParameters(graph: OnnxGraph): number {
  const sidecars = new Set(
    graph.nodes
      .filter((node) => /^(De)?[Qq]uantizeLinear$/.test(node.opType))
      .flatMap((node) => node.inputs.slice(1)),
  );
  let total = 0;
  for (const [name, tensor] of graph.initializers) {
    // INT64 tensors are shapes and axes.
    if (tensor.datatype !== 'INT64' && !sidecars.has(name)) total += elementCount(tensor.shape);
  }
  return total;
}
