import { readFile } from 'node:fs/promises';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { toTensor } from '../../src/image/to-tensor.ts';
import type { OnnxGraph } from '../../src/toolchain/onnx/onnx-graph.ts';
import { serialiseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import { datatypeCodes, fp32Tensor } from '../../src/toolchain/onnx/onnx-tensor.ts';
import { quantizeModel } from '../../src/toolchain/quantize/quantize-model.ts';
import { goldenNames, goldenPath, photoFiles, readDefaultManifest } from '../golden/golden.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';

const classes = 1000;
/** Blocks and narrow channels of each stage. */
const stages = [
  { blocks: 3, narrow: 64 },
  { blocks: 4, narrow: 128 },
  { blocks: 6, narrow: 256 },
  { blocks: 3, narrow: 512 },
] as const;

/**
 * A ResNet-50 of the real topology (v1.5: a stage's stride is in its first 3x3 convolution) with seeded weights, in the
 * spelling of the ONNX Model Zoo. It has learned nothing. Its speed and its memory are those of one that has: neither
 * depends on the values of weights.
 */
export function buildSeededResnet50(): Uint8Array {
  const { normal } = createRandom(50);
  const graph: OnnxGraph = { name: 'resnet50', inputs: [], outputs: [], nodes: [], initializers: new Map() };
  let serial = 0;
  const node = (opType: string, inputs: string[], ints: Record<string, number[]> = {}) => {
    const output = `${opType.toLowerCase()}${serial++}`;
    const attributes = new Map(
      Object.entries(ints).map(([name, value]) => [name, { type: 'INTS', value }] as const),
    );
    graph.nodes.push({ name: output, opType, domain: '', inputs, outputs: [output], attributes });
    return output;
  };
  const floats = (shape: number[], deviation: number) => {
    const name = `weight${serial++}`;
    const length = shape.reduce((product, size) => product * size, 1);
    graph.initializers.set(
      name,
      fp32Tensor(
        shape,
        Float32Array.from({ length }, () => normal() * deviation),
      ),
    );
    return name;
  };
  /** @param gain of the deviation that keeps the size of activations. */
  const conv = (x: string, from: number, to: number, kernel: number, stride: number, gain = 1) => {
    const weights = floats([to, from, kernel, kernel], gain * Math.sqrt(2 / (from * kernel * kernel)));
    const pad = (kernel - 1) / 2;
    return node('Conv', [x, weights, floats([to], 0.05)], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
  };
  const relu = (x: string) => node('Relu', [x]);

  let x = relu(conv('data', 3, 64, 7, 2));
  x = node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = 64;
  for (const [stage, { blocks, narrow }] of stages.entries()) {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const wide = 4 * narrow;
      const inner = relu(conv(relu(conv(x, channels, narrow, 1, 1)), narrow, narrow, 3, stride));
      const body = conv(inner, narrow, wide, 1, 1, 0.3);
      const shortcut = block === 0 ? conv(x, channels, wide, 1, stride, 0.7) : x;
      x = relu(node('Add', [body, shortcut]));
      channels = wide;
    }
  }
  const pooled = node('Flatten', [node('GlobalAveragePool', [x])]);
  const logits = node('Gemm', [pooled, floats([classes, channels], 0.05), floats([classes], 0.05)]);
  const gemm = graph.nodes.at(-1)!;
  gemm.attributes.set('transB', { type: 'INT', value: 1 });
  graph.inputs = [{ name: 'data', elementType: datatypeCodes.FP32, shape: ['N', 3, 224, 224] }];
  graph.outputs = [{ name: logits, elementType: datatypeCodes.FP32, shape: ['N', classes] }];
  return serialiseModel({
    irVersion: 7,
    producerName: 'seeded',
    opsets: new Map([['', 12]]),
    graph,
  });
}

/** The same in int8, its scales calibrated on the photos of this repository. */
export async function makeSeededResnet50Int8(): Promise<Uint8Array> {
  const { preprocess } = await readDefaultManifest();
  async function* photos() {
    for (const name of goldenNames) {
      const { crop } = await decodeToCrop(await readFile(goldenPath(photoFiles[name])), preprocess);
      yield toTensor(crop, preprocess).data;
    }
  }
  const { model } = await quantizeModel(buildSeededResnet50(), {
    calibration: photos(),
    method: 'percentile',
  });
  return model;
}
