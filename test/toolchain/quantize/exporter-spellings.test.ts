import { describe, expect, test } from 'vitest';
import { parseModel, serialiseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { normaliseGraph } from '../../../src/toolchain/quantize/normalise/normalise-graph.ts';
import { quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { countOperators, optimisedNodes, relativeError, runModel } from './ort-checks.ts';
import { buildResnet, classCount, imageShape, type ResnetSpelling } from './resnet-builder.ts';
import { smoothImages } from './smooth-images.ts';

/** The shapes that graphs have as they come from each exporter. */
const spellings: Record<string, ResnetSpelling> = {
  'torchvision, opset 17, folded, dynamic batch': { opset: 17, norm: 'folded' },
  'torchvision, opset 11, BatchNorm kept, fixed batch': { opset: 11, input: [1, ...imageShape] },
  'torchvision bottleneck, opset 13': { opset: 13, block: 'bottleneck' },
  'torch dynamo, opset 18, ReduceMean by input, constant Reshape': {
    opset: 18,
    norm: 'folded',
    pooling: 'reduce-mean-input',
    flatten: 'reshape-constant',
  },
  'torch dynamo, opset 21, ReduceMean drops its axes, MatMul + Add': {
    opset: 21,
    pooling: 'reduce-mean-input',
    flatten: 'none',
    classifier: 'matmul-add',
  },
  'timm resnet-D, opset 14: deep stem, average-pool shortcut': {
    opset: 14,
    block: 'bottleneck',
    stem: 'deep',
    shortcut: 'average-pool',
  },
  'timm, opset 16, ReduceMean by attribute, squeezed': {
    opset: 16,
    pooling: 'reduce-mean-attribute',
    flatten: 'squeeze',
  },
  'SuperGradients, opset 11, shape computed by Shape/Gather/Concat': {
    opset: 11,
    flatten: 'reshape-computed',
    inertNodes: true,
  },
  'SuperGradients, opset 13, shape computed, batch of 4': {
    opset: 13,
    flatten: 'reshape-computed',
    input: [4, ...imageShape],
  },
  'Hugging Face, opset 14, all sizes free': { opset: 14, input: ['batch', 'channels', 'height', 'width'] },
  'zoo, opset 7, initializers as inputs, no node names': {
    opset: 7,
    initializersAsInputs: true,
    nodeNames: false,
    classifier: 'gemm-plain',
  },
  'zoo Caffe2, opset 8, Sum, AveragePool over all, Reshape, Softmax': {
    opset: 8,
    residual: 'Sum',
    pooling: 'average-pool',
    flatten: 'reshape-constant',
    softmax: true,
    initializersAsInputs: true,
  },
  'zoo v2, opset 8, pre-activation': { opset: 8, block: 'preactivation' },
  'CNTK, opset 9, asymmetric padding, bias as Add': { opset: 9, stem: 'asymmetric', norm: 'affine-add' },
  'timm resnext, opset 17: grouped convolutions': { opset: 17, block: 'grouped' },
  'a convolution as classifier, opset 13': { opset: 13, norm: 'folded', classifier: 'conv' },
  'a convolution as classifier, opset 18, squeezed': { opset: 18, classifier: 'conv', flatten: 'squeeze' },
  'two layers behind the pooled features, opset 17': {
    opset: 17,
    norm: 'folded',
    classifier: 'two-layers',
  },
  'fastai, opset 17: two pools, BatchNorms in the head': { opset: 17, classifier: 'two-pools' },
  'fastai, opset 20, pools as reductions': { opset: 20, norm: 'folded', classifier: 'two-pools' },
  'ReLU6, opset 7, ends as attributes': { opset: 7, activation: 'relu6' },
  'ReLU6, opset 20, ends as inputs': { opset: 20, activation: 'relu6', block: 'bottleneck' },
  'Caffe, opset 10: pool in ceiling mode': { opset: 10, stem: 'ceil-pool' },
  'preprocessing in the graph, opset 14: Sub and Div at the input': { opset: 14, normalisesInput: true },
  'half precision between casts, opset 17': { opset: 17, norm: 'folded', half: true },
  "Keras' ResNetV2, opset 15: zeros before a pool": {
    opset: 15,
    stem: 'padded-pool',
    block: 'preactivation',
  },
  "Keras' ResNetV2, opset 10": { opset: 10, stem: 'padded-pool', block: 'preactivation' },
  'Keras, opset 13, auto_pad': { opset: 13, stem: 'auto-pad' },
  'Keras, opset 10, Pad before the stem': { opset: 10, stem: 'pad-node', flatten: 'squeeze' },
  'Keras, opset 15, Pad by input, Identity, Dropout, Constant': {
    opset: 15,
    stem: 'pad-node',
    inertNodes: true,
    pooling: 'reduce-mean-attribute',
    flatten: 'none',
    classifier: 'matmul-add',
  },
};

/** Operators that read and write integers; QuantizeLinear stands once, at the input. */
const integerOperators = new Set([
  'QuantizeLinear',
  'QLinearConv',
  'QLinearAdd',
  'QLinearAveragePool',
  'QLinearGlobalAveragePool',
  'QGemm',
  'MaxPool',
  'Flatten',
  'Pad',
]);

/** What follows the pooled features of a head with several layers, once the body's result is dequantized. */
const floatHeadOperators = new Set([
  'DequantizeLinear',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'Concat',
  'Gemm',
  'FusedGemm',
  'Relu',
]);

/**
 * Random weights leave a small network's logits less margin than a trained one's; with eight bits per
 * activation its logits stay within this share of their own spread.
 */
const tolerance = 0.03;

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** What a Softmax leaves of the logits: everything but their mean. */
function toCentredLogits(values: Float32Array, isProbability: boolean): Float32Array {
  const logits = isProbability ? values.map(Math.log) : values;
  const mean = logits.reduce((sum, value) => sum + value, 0) / logits.length;
  return logits.map((value) => value - mean);
}

async function runReference(source: Uint8Array, spelling: ResnetSpelling, images: readonly Float32Array[]) {
  const batch = typeof spelling.input?.[0] === 'number' ? spelling.input[0] : 1;
  const outputs = await runModel(source, images, imageShape, batch);
  return outputs.map((values) => toCentredLogits(values, spelling.softmax === true));
}

describe.each(Object.entries(spellings))('%s', (_, spelling) => {
  test('is the same network once normalised', async () => {
    const source = buildResnet(spelling);
    const images = smoothImages(4, 3);
    const reference = await runReference(source, spelling, images);
    const { graph } = normaliseGraph(parseModel(source), 3 * 32 * 32);
    const normalised = serialiseModel({ irVersion: 7, producerName: '', opsets: new Map([['', 13]]), graph });
    const actual = await runModel(normalised, images, imageShape);
    const error = relativeError(
      actual.map((logits) => toCentredLogits(logits, false)),
      reference,
    );
    expect(error).toBeLessThan(1e-5);
  });

  test('becomes integer kernels throughout and agrees with its float source', async () => {
    const source = buildResnet(spelling);
    const calibration = smoothImages(24, 1);
    const { model, report } = await quantizeModel(source, {
      calibration: each(calibration),
      method: 'minmax',
    });
    expect(report).toMatchObject({ classes: classCount, imageShape, calibrationImages: 24 });

    const operators = countOperators(await optimisedNodes(model));
    // ONNX Runtime pads in floats and quantizes again: a Pad of integers would put 0 where its zero point belongs.
    if (spelling.stem === 'padded-pool') {
      delete operators['DequantizeLinear'];
      operators['QuantizeLinear']!--;
    }
    const hasFloatHead = spelling.classifier?.startsWith('two') ?? false;
    const inFloats = Object.keys(operators).filter((type) => !integerOperators.has(type));
    expect(inFloats.filter((type) => !hasFloatHead || !floatHeadOperators.has(type))).toEqual([]);
    expect(operators).toMatchObject({ QuantizeLinear: 1, QLinearAdd: 2 });
    if (!hasFloatHead) expect(operators).toMatchObject({ QGemm: 1, QLinearGlobalAveragePool: 1 });
    if (spelling.shortcut === 'average-pool') expect(operators.QLinearAveragePool).toBe(1);

    const heldOut = smoothImages(16, 2);
    const reference = await runReference(source, spelling, heldOut);
    const actual = await runModel(model, heldOut, imageShape);
    const error = relativeError(
      actual.map((logits) => toCentredLogits(logits, false)),
      reference,
    );
    expect(error).toBeLessThan(tolerance);
  });
});
