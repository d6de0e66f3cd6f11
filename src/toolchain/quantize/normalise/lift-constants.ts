import { tensorAttribute } from '../../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxNode } from '../../onnx/onnx-graph.ts';
import {
  datatypeCodes,
  fp32Tensor,
  int64Tensor,
  type OnnxTensor,
  toFloat32,
} from '../../onnx/onnx-tensor.ts';

/**
 * Constant nodes become initializers, and half and double precision becomes single: activations are
 * calibrated, and weights rounded, from FP32 alone.
 *
 * @throws {UnsupportedGraphError} At a Constant that holds neither a tensor nor numbers.
 */
export function liftConstants(graph: OnnxGraph): void {
  graph.nodes = graph.nodes.filter((node) => {
    if (node.opType !== 'Constant') return true;
    graph.initializers.set(node.outputs[0] as string, toConstant(node));
    return false;
  });
  for (const [name, tensor] of graph.initializers) {
    if (tensor.datatype === 'FP16' || tensor.datatype === 'FP64') {
      graph.initializers.set(name, fp32Tensor(tensor.shape, toFloat32(tensor, name)));
    }
  }
  const toFp32 = <T extends { elementType: number }>(value: T): T => ({
    ...value,
    elementType: datatypeCodes.FP32,
  });
  graph.inputs = graph.inputs.map(toFp32);
  graph.outputs = graph.outputs.map(toFp32);
}

function toConstant(node: OnnxNode): OnnxTensor {
  const tensor = tensorAttribute(node, 'value');
  if (tensor !== undefined) return tensor;
  for (const attribute of node.attributes.values()) {
    switch (attribute.type) {
      case 'INT':
        return { ...int64Tensor([attribute.value]), shape: [] } as OnnxTensor;
      case 'INTS':
        return int64Tensor(attribute.value);
      case 'FLOAT':
        return fp32Tensor([], Float32Array.of(attribute.value));
      case 'FLOATS':
        return fp32Tensor([attribute.value.length], Float32Array.from(attribute.value));
    }
  }
  throw new UnsupportedGraphError(node, 'a constant that is neither a tensor nor numbers');
}
