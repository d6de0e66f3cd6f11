import type { AttributeValue, OnnxGraph, OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import { fp32Tensor, type OnnxTensor, toFloat32 } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import type { Shape } from '../../../../src/toolchain/onnx/shape.ts';
import { type InferredShapes, inferShapes } from '../../../../src/toolchain/onnx/shape-inference.ts';

export const int = (value: number): AttributeValue => ({ type: 'INT', value });
export const ints = (...value: number[]): AttributeValue => ({ type: 'INTS', value });
export const float = (value: number): AttributeValue => ({ type: 'FLOAT', value });
export const string = (value: string): AttributeValue => ({ type: 'STRING', value });

export const floats = (shape: readonly number[], ...values: number[]): OnnxTensor =>
  fp32Tensor(shape, Float32Array.from(values));
export const vector = (...values: number[]): OnnxTensor => floats([values.length], ...values);

export function toNode(
  opType: string,
  inputs: string[],
  output: string,
  attributes: Record<string, AttributeValue> = {},
): OnnxNode {
  return {
    name: `node_${output}`,
    opType,
    domain: '',
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  };
}

/** A graph from `x` to what its last node makes. */
export function toGraph(nodes: OnnxNode[], constants: Record<string, OnnxTensor> = {}): OnnxGraph {
  return {
    name: 'small',
    inputs: [{ name: 'x', elementType: 1, shape: undefined }],
    outputs: [{ name: nodes.at(-1)!.outputs[0]!, elementType: 1, shape: undefined }],
    nodes,
    initializers: new Map(Object.entries(constants)),
  };
}

/** Shapes of the tensors of a graph whose `x` is [batch, ...sizes]. */
export function toShapes(graph: OnnxGraph, ...sizes: number[]): InferredShapes {
  return inferShapes(graph, ['batch', ...sizes] as Shape);
}

/** A graph's nodes as `output = Operator(inputs)`, in their order. */
export function toLines({ nodes }: OnnxGraph): string[] {
  return nodes.map(({ opType, inputs, outputs }) => `${outputs} = ${opType}(${inputs})`);
}

export function valuesOf(graph: OnnxGraph, name: string): number[] {
  return [...toFloat32(graph.initializers.get(name)!, name)];
}
