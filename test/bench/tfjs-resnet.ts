import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { intsAttribute } from '../../src/toolchain/onnx/onnx-attribute.ts';
import type { OnnxNode } from '../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import { toFloat32 } from '../../src/toolchain/onnx/onnx-tensor.ts';

/**
 * A ResNet on TensorFlow.js' WebAssembly backend (XNNPACK, SIMD, one thread, FP32): the graph's nodes as
 * calls of its kernels, NHWC, batch normalisation already in the weights.
 *
 * @param fp32 an ONNX graph of Conv, Relu, MaxPool, Add, pooling and one Gemm.
 * @returns runs one image, FP32 NCHW (1, 3, 224, 224), and gives its logits.
 */
export async function createTfjsResnet(
  fp32: Uint8Array,
): Promise<(image: Float32Array) => Promise<Float32Array>> {
  const { graph } = parseModel(fp32);
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  setThreadsCount(1);
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs has no wasm backend here');
  const weights = new Map<string, tf.Tensor>();
  for (const node of graph.nodes) {
    for (const name of node.inputs) {
      const tensor = graph.initializers.get(name);
      if (tensor?.datatype !== 'FP32' || weights.has(name)) continue;
      const given = tf.tensor(toFloat32(tensor, name), [...tensor.shape]);
      weights.set(name, tensor.shape.length === 4 ? tf.transpose(given, [2, 3, 1, 0]) : given);
    }
  }
  return async (image) => {
    const logits = tf.tidy(() => {
      const input = tf.transpose(tf.tensor4d(image, [1, 3, 224, 224]), [0, 2, 3, 1]);
      const values = new Map<string, tf.Tensor>([[graph.inputs[0]!.name, input]]);
      for (const node of graph.nodes) values.set(node.outputs[0]!, run(node, values, weights));
      return values.get(graph.outputs[0]!.name)!;
    });
    const data = await logits.data<'float32'>();
    logits.dispose();
    return data;
  };
}

function run(node: OnnxNode, values: Map<string, tf.Tensor>, weights: Map<string, tf.Tensor>): tf.Tensor {
  const read = (index: number) =>
    (values.get(node.inputs[index]!) ?? weights.get(node.inputs[index]!)) as tf.Tensor4D;
  const pads = () => {
    const [top = 0, left = 0, bottom = 0, right = 0] = intsAttribute(node, 'pads') ?? [];
    return [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ] as [[0, 0], [number, number], [number, number], [0, 0]];
  };
  const [strideY = 1, strideX = 1] = intsAttribute(node, 'strides') ?? [];
  switch (node.opType) {
    case 'Conv':
      return tf.fused.conv2d({
        x: read(0),
        filter: read(1),
        strides: [strideY, strideX],
        pad: pads(),
        ...(node.inputs[2] && { bias: read(2) }),
      });
    case 'Relu':
      return tf.relu(read(0));
    case 'Add':
      return tf.add(read(0), read(1));
    case 'MaxPool': {
      const [height = 1, width = 1] = intsAttribute(node, 'kernel_shape') ?? [];
      return tf.maxPool(read(0), [height, width], [strideY, strideX], pads());
    }
    case 'GlobalAveragePool':
    case 'ReduceMean':
      return tf.mean(read(0), [1, 2], true);
    case 'Flatten':
    case 'Reshape':
      return tf.reshape(read(0), [1, -1]);
    case 'Gemm':
      return tf.add(tf.matMul(tf.reshape(read(0), [1, -1]), read(1), false, true), read(2));
    default:
      throw new Error(`${node.opType} is not run here`);
  }
}
