import { intAttribute } from './onnx-attribute.ts';
import type { OnnxGraph, OnnxNode } from './onnx-graph.ts';
import { datatypeCodes, fp32Tensor, type OnnxTensor, toFloat32 } from './onnx-tensor.ts';

/**
 * Turns half and double precision into single, in constants, casts, inputs and outputs, because calibration, the rounding
 * of weights and a session's input all need FP32.
 */
export function toSinglePrecision(graph: OnnxGraph): void {
  for (const [name, tensor] of graph.initializers) graph.initializers.set(name, toSingle(tensor, name));
  for (const node of graph.nodes) convertNode(node);
  const convertType = <T extends { elementType: number }>(value: T): T =>
    isOtherFloat(value.elementType) ? { ...value, elementType: datatypeCodes.FP32 } : value;
  graph.inputs = graph.inputs.map(convertType);
  graph.outputs = graph.outputs.map(convertType);
}

function convertNode(node: OnnxNode): void {
  if (node.opType === 'Cast' && isOtherFloat(intAttribute(node, 'to', 0))) {
    node.attributes.set('to', { type: 'INT', value: datatypeCodes.FP32 });
  }
  for (const [name, attribute] of node.attributes) {
    if (attribute.type !== 'TENSOR') continue;
    node.attributes.set(name, { type: 'TENSOR', value: toSingle(attribute.value, node.name) });
  }
}

function toSingle(tensor: OnnxTensor, name: string): OnnxTensor {
  const isOther = tensor.datatype === 'FP16' || tensor.datatype === 'FP64';
  return isOther ? fp32Tensor(tensor.shape, toFloat32(tensor, name)) : tensor;
}

function isOtherFloat(elementType: number): boolean {
  return elementType === datatypeCodes.FP16 || elementType === datatypeCodes.FP64;
}
