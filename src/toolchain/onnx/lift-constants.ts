import { tensorAttribute } from './onnx-attribute.ts';
import { UnsupportedGraphError } from './onnx-errors.ts';
import type { OnnxGraph, OnnxNode } from './onnx-graph.ts';
import { fp32Tensor, int64Tensor, type OnnxTensor } from './onnx-tensor.ts';

/**
 * Constant nodes become initializers.
 *
 * @throws {UnsupportedGraphError} At a Constant that holds neither a tensor nor numbers.
 */
export function liftConstants(graph: OnnxGraph): void {
  graph.nodes = graph.nodes.filter((node) => {
    if (node.opType !== 'Constant') return true;
    graph.initializers.set(node.outputs[0] as string, toConstant(node));
    return false;
  });
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
