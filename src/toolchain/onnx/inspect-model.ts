import { assertPlainInput, readOutputKind } from './inspect-ends.ts';
import { intAttribute } from './onnx-attribute.ts';
import { UnsupportedGraphError } from './onnx-errors.ts';
import type { DeclaredDimension, OnnxGraph, OnnxNode, ValueInfo } from './onnx-graph.ts';
import { parseModel } from './onnx-model.ts';
import { elementCount, toDatatype } from './onnx-tensor.ts';

/** What `import` needs to write a manifest. */
export interface ModelInspection {
  readonly producer: string;
  readonly irVersion: number;
  readonly opset: number;
  readonly input: TensorInspection;
  readonly output: TensorInspection;
  /** `probabilities` if the graph ends in a Softmax or a Sigmoid. */
  readonly outputKind: 'logits' | 'probabilities';
  /** Number of classes; undefined where neither the output's shape nor the classifier's weights tell. */
  readonly classes: number | undefined;
  /** Elements of all floating point or quantized weights; scales and zero points left out. */
  readonly parameterCount: number;
  /** INT8 if the graph quantizes or dequantizes anything. */
  readonly datatype: 'FP32' | 'INT8';
  /** How often each operator occurs. */
  readonly operators: Readonly<Record<string, number>>;
}

export interface TensorInspection {
  readonly name: string;
  readonly datatype: string;
  /** null where the exporter left a size free; undefined where it declared no shape. */
  readonly shape: readonly (number | null)[] | undefined;
}

/**
 * Reads a classifier's outer properties without judging whether it can be quantized.
 *
 * @param bytes a serialised ModelProto.
 * @throws {OnnxFormatError | UnsupportedGraphError} If it cannot be read, has not one input and output, normalises its
 *   input itself, or gives no scores.
 */
export function inspectModel(bytes: Uint8Array): ModelInspection {
  const { graph, irVersion, opsets, producerName } = parseModel(bytes);
  const input = soleOf(graph.inputs, 'input');
  const output = soleOf(graph.outputs, 'output');
  const operators: Record<string, number> = {};
  for (const { opType } of graph.nodes) operators[opType] = (operators[opType] ?? 0) + 1;
  assertPlainInput(graph, input.name);
  return {
    producer: producerName,
    irVersion,
    opset: opsets.get('') ?? 0,
    input: inspectTensor(input),
    output: inspectTensor(output),
    outputKind: readOutputKind(graph, output.name),
    classes: countClasses(graph, output),
    parameterCount: countParameters(graph),
    datatype: Object.keys(operators).some((type) => /Quantize|^QLinear|Integer$/.test(type))
      ? 'INT8'
      : 'FP32',
    operators,
  };
}

function soleOf(values: readonly ValueInfo[], what: string): ValueInfo {
  const [value] = values;
  if (value === undefined || values.length > 1) {
    const names = values.map(({ name }) => `'${name}'`).join(', ');
    throw new UnsupportedGraphError(
      undefined,
      `the model must have one ${what}, has ${values.length}: ${names}`,
    );
  }
  return value;
}

function inspectTensor({ name, elementType, shape }: ValueInfo): TensorInspection {
  const toSize = (size: DeclaredDimension) => (typeof size === 'number' ? size : null);
  return { name, datatype: toDatatype(elementType) ?? `type ${elementType}`, shape: shape?.map(toSize) };
}

function countClasses(graph: OnnxGraph, output: ValueInfo): number | undefined {
  const declared = output.shape?.at(-1);
  if (typeof declared === 'number') return declared;
  const classifier = graph.nodes.findLast((node) => node.opType === 'Gemm' || node.opType === 'MatMul');
  const shape = classifier && weightShape(graph, classifier);
  if (classifier === undefined || shape === undefined) return undefined;
  return shape[intAttribute(classifier, 'transB', 0) === 1 ? 0 : 1];
}

function weightShape(graph: OnnxGraph, node: OnnxNode): readonly number[] | undefined {
  let name = node.inputs[1] ?? '';
  const source = graph.nodes.find((candidate) => candidate.outputs.includes(name));
  if (source?.opType === 'DequantizeLinear') name = source.inputs[0] ?? '';
  return graph.initializers.get(name)?.shape;
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
