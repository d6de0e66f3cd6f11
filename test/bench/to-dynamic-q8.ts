import type { OnnxNode } from '../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel, serialiseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import { fp32Tensor, type OnnxTensor, toFloat32 } from '../../src/toolchain/onnx/onnx-tensor.ts';

/**
 * Dynamic quantization as the models for transformers.js have it (`q8`): weights are U8 with one scale each,
 * activations are quantized by their range while the graph runs, ConvInteger and MatMulInteger in between.
 *
 * @param fp32 a graph of Conv, Gemm (transB) and others, weights as initializers.
 * @see onnxruntime.quantization.quantize_dynamic, whose graphs look like this
 */
export function toDynamicQ8(fp32: Uint8Array): Uint8Array {
  const model = parseModel(fp32);
  const { graph } = model;
  const quantized = new Map<string, readonly string[]>();
  const nodes: OnnxNode[] = [];
  const add = (opType: string, inputs: string[], outputs: string[], attributes = new Map()) =>
    nodes.push({ name: outputs[0]!, opType, domain: '', inputs, outputs, attributes });
  const constant = (name: string, tensor: OnnxTensor) => {
    graph.initializers.set(name, tensor);
    return name;
  };

  for (const node of graph.nodes) {
    const [source, weightName, bias] = node.inputs as [string, string, string | undefined];
    const weights = graph.initializers.get(weightName);
    if (!weights || (node.opType !== 'Conv' && node.opType !== 'Gemm')) {
      nodes.push(node);
      continue;
    }
    const [output] = node.outputs as [string];
    let activations = quantized.get(source);
    if (!activations) {
      activations = [`${source}_q`, `${source}_scale`, `${source}_zero`];
      add('DynamicQuantizeLinear', [source], [...activations]);
      quantized.set(source, activations);
    }
    const [values, scale, zero] = activations as [string, string, string];
    const own = quantizeWeights(weights, weightName, node.opType === 'Gemm');
    const inputs = [
      values,
      constant(`${output}_weights`, own.values),
      zero,
      constant(`${output}_weights_zero`, own.zero),
    ];
    if (node.opType === 'Conv') add('ConvInteger', inputs, [`${output}_sum`], node.attributes);
    else add('MatMulInteger', inputs, [`${output}_sum`]);
    add('Cast', [`${output}_sum`], [`${output}_float`], new Map([['to', { type: 'INT', value: 1 }]]));
    add('Mul', [scale, constant(`${output}_weights_scale`, own.scale)], [`${output}_factor`]);
    add('Mul', [`${output}_float`, `${output}_factor`], [bias ? `${output}_scaled` : output]);
    if (bias) {
      const tensor = graph.initializers.get(bias)!;
      const shape = node.opType === 'Conv' ? [1, tensor.data.length, 1, 1] : [tensor.data.length];
      const spread = constant(`${output}_bias`, fp32Tensor(shape, toFloat32(tensor, bias)));
      add('Add', [`${output}_scaled`, spread], [output]);
    }
  }
  graph.nodes = nodes;
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  for (const name of [...graph.initializers.keys()]) if (!used.has(name)) graph.initializers.delete(name);
  return serialiseModel(model);
}

function quantizeWeights(weights: OnnxTensor, name: string, transpose: boolean) {
  const data = toFloat32(weights, name);
  const low = data.reduce((least, value) => Math.min(least, value), 0);
  const high = data.reduce((most, value) => Math.max(most, value), 0);
  const scale = (high - low) / 255;
  const zero = Math.round(-low / scale);
  const rounded = Uint8Array.from(data, (value) =>
    Math.min(255, Math.max(0, Math.round(value / scale) + zero)),
  );
  const u8 = (shape: readonly number[], values: Uint8Array): OnnxTensor => ({
    datatype: 'UINT8',
    shape,
    data: values,
  });
  const [rows, columns] = weights.shape as [number, number];
  return {
    values: transpose
      ? u8(
          [columns, rows],
          Uint8Array.from(rounded, (_, at) => rounded[(at % rows) * columns + Math.floor(at / rows)]!),
        )
      : u8(weights.shape, rounded),
    scale: fp32Tensor([], Float32Array.of(scale)),
    zero: u8([], Uint8Array.of(zero)),
  };
}
