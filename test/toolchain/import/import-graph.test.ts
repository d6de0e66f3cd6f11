import { describe, expect, test } from 'vitest';
import { toPredictions } from '../../../src/classify/classify.ts';
import { toTensor } from '../../../src/image/to-tensor.ts';
import { runOnce } from '../../../src/inference/ort-node.ts';
import { importGraph } from '../../../src/toolchain/import/import-graph.ts';
import type { OnnxModel } from '../../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel, serialiseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { int64Tensor } from '../../../src/toolchain/onnx/onnx-tensor.ts';
import { quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { argmax, runModel } from '../quantize/ort-checks.ts';
import { buildResnet, imageShape } from '../quantize/resnet-builder.ts';
import { smoothImages } from '../quantize/smooth-images.ts';
import { castTo, int, ints, perChannel, scalar, type Wrapping, wrapResnet } from './wrap-resnet.ts';

const side = 32;
const mean = [0.485, 0.456, 0.406];
const std = [0.229, 0.224, 0.225];
const take = (model: OnnxModel, output?: string) => importGraph(model, { side, output });

/** What the service does where the graph does nothing itself. */
const preset = { rescale_factor: 1 / 255, mean, std };

/** RGB samples, HWC. */
const crop = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 37 + Math.floor(i / 96) * 11) % 256);
const samples = (layout: 'NCHW' | 'NHWC') =>
  Array.from(crop, (_, i) => {
    if (layout === 'NHWC') return crop[i]!;
    const plane = side * side;
    return crop[(i % plane) * 3 + Math.floor(i / plane)]!;
  });

/** The original on onnxruntime-node, fed by hand with what its exporter meant it for. */
async function runOriginal(
  model: OnnxModel,
  layout: 'NCHW' | 'NHWC',
  type: 'float32' | 'uint8',
  toValue: (sample: number) => number,
): Promise<Float32Array> {
  const values = samples(layout).map(toValue);
  const shape = layout === 'NHWC' ? [1, side, side, 3] : [1, 3, side, side];
  const data = type === 'uint8' ? Uint8Array.from(values) : Float32Array.from(values);
  const outputs = await runOnce(serialiseModel(model), new Map([['data', { type, shape, data }]]));
  return outputs.get('logits')!.data as Float32Array;
}

/** What was made of it, fed by the service's own pipeline. */
async function runAdopted({ bytes, normalisation, turnsChannels }: Awaited<ReturnType<typeof take>>) {
  const figures = normalisation ?? preset;
  const [first, second, third] = figures.mean;
  const [a, b, c] = figures.std;
  const { data } = toTensor(crop, {
    resizeShortestEdge: side,
    interpolation: 'bilinear',
    centerCrop: side,
    rescaleFactor: figures.rescale_factor,
    mean: [first!, second!, third!],
    std: [a!, b!, c!],
    ...((normalisation?.channel_order ?? (turnsChannels ? 'bgr' : 'rgb')) === 'bgr' && {
      channelOrder: 'bgr',
    }),
  });
  const [logits] = await runModel(bytes, [data], imageShape);
  return logits!;
}

const closeTo = (values: Float32Array) => Array.from(values, (value) => expect.closeTo(value, 3));
const toNchw: Wrapping = { opType: 'Transpose', attributes: { perm: ints([0, 3, 1, 2]) } };
const sub = (values: readonly number[], shape?: number[]): Wrapping => ({
  opType: 'Sub',
  constants: [perChannel(values, shape)],
});
const div = (values: readonly number[], shape?: number[]): Wrapping => ({
  opType: 'Div',
  constants: [perChannel(values, shape)],
});
const by255: Wrapping = { opType: 'Div', constants: [scalar(255)] };
const largest = Number.MAX_SAFE_INTEGER;

describe('pixels that a graph prepares itself are prepared once, by the manifest', () => {
  const nchw = { type: 'FP32', shape: ['N', 3, side, side] } as const;
  const nhwc = { type: 'FP32', shape: ['N', side, side, 3] } as const;
  const bytes = { type: 'UINT8', shape: ['N', 3, side, side] } as const;
  const byteRows = { type: 'UINT8', shape: [1, side, side, 3] } as const;
  const fraction = (sample: number) => sample / 255;
  const whole = (sample: number) => sample;
  test.each([
    ['Sub and Div, for samples of 0 to 1', [sub(mean), div(std)], nchw, fraction],
    ['1/255, Sub and Div, for samples of 0 to 255', [by255, sub(mean), div(std)], nchw, whole],
    ['1/255 alone', [by255], nchw, whole],
    [
      '-1 to 1, as Keras writes it',
      [
        { opType: 'Mul', constants: [scalar(1 / 127.5)] },
        { opType: 'Add', constants: [scalar(-1)] },
      ],
      nchw,
      whole,
    ],
    [
      '2x - 1',
      [
        { opType: 'Mul', constants: [scalar(2)] },
        { opType: 'Sub', constants: [scalar(1)] },
      ],
      nchw,
      fraction,
    ],
    ['UINT8 through a Cast', [castTo('FP32'), by255, sub(mean), div(std)], bytes, whole],
    ['UINT8 NHWC', [castTo('FP32'), toNchw, by255, sub(mean), div(std)], byteRows, whole],
    ['NHWC with figures for the last axis', [sub(mean, [3]), div(std, [1, 1, 1, 3]), toNchw], nhwc, fraction],
    [
      "Caffe's BGR by a Gather, less a mean",
      [
        { opType: 'Gather', constants: [int64Tensor([2, 1, 0])], attributes: { axis: int(1) } },
        sub([103.939, 116.779, 123.68]),
      ],
      nchw,
      whole,
    ],
    [
      'BGR by a Slice from the end, in NHWC',
      [
        {
          opType: 'Slice',
          constants: [[-1], [-largest], [3], [-1]].map((values) => int64Tensor(values)),
        },
        { opType: 'Add', constants: [perChannel([-103.939, -116.779, -123.68], [3])] },
        toNchw,
      ],
      nhwc,
      whole,
    ],
  ] as const)('%s', async (_, before, input, toValue) => {
    const model = wrapResnet({ before, input });
    const layout = input.shape[3] === 3 ? 'NHWC' : 'NCHW';
    const reference = await runOriginal(model, layout, input.type === 'UINT8' ? 'uint8' : 'float32', toValue);
    const imported = await take(model);
    expect(Array.from(await runAdopted(imported))).toEqual(closeTo(reference));
    expect(imported.model.graph.nodes[0]?.opType).toBe('Conv');
    expect(imported.model.graph.inputs[0]).toMatchObject({ elementType: 1, shape: ['N', 3, side, side] });
    expect(imported.notes.join(' ')).toContain('prepare its pixels');
  });

  test('a graph that goes on in NHWC gets its input transposed', async () => {
    const before: Wrapping[] = [{ opType: 'Relu' }, toNchw];
    const model = wrapResnet({ before, input: { type: 'FP32', shape: ['N', side, side, 3] } });
    const normalise = (sample: number) => (sample / 255 - 0.5) / 0.25;
    const reference = await runOriginal(model, 'NHWC', 'float32', normalise);
    const imported = await take(model);
    const input = toTensor(crop, {
      resizeShortestEdge: side,
      interpolation: 'bilinear',
      centerCrop: side,
      rescaleFactor: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
    });
    const [logits] = await runModel(imported.bytes, [input.data], imageShape);
    expect(Array.from(logits!)).toEqual(closeTo(reference));
  });

  test('BatchNorm at the input is a layer of the network, and stays', async () => {
    const ones = perChannel([1, 1, 1], [3]);
    const constants = [ones, perChannel([0, 0, 0], [3]), perChannel(mean, [3]), ones];
    const model = wrapResnet({ before: [{ opType: 'BatchNormalization', constants }] });
    const imported = await take(model);
    expect(imported.normalisation).toBeUndefined();
    expect(imported.model.graph.nodes[0]?.opType).toBe('BatchNormalization');
  });

  test('a graph that multiplies by less than 0 is refused', async () => {
    const model = wrapResnet({ before: [{ opType: 'Mul', constants: [scalar(-1)] }] });
    await expect(take(model)).rejects.toThrow('not above 0');
  });

  test('a graph that does none of this stays as it is, byte for byte', async () => {
    const imported = await take(parseModel(buildResnet({ opset: 13, norm: 'folded' })));
    expect(imported).toMatchObject({ normalisation: undefined, isUnchanged: true, notes: [] });
  });
});

describe('the end of a graph', () => {
  const softmax: Wrapping = { opType: 'Softmax', attributes: { axis: int(1) } };
  const sigmoid: Wrapping = { opType: 'Sigmoid' };
  const identity: Wrapping = { opType: 'Identity' };
  const labels = Array.from({ length: 10 }, (_, i) => ({ wnid: '', label: `${i}` }));
  const normalise = (sample: number) => (sample / 255 - 0.5) / 0.25;

  /** Scores of the original by onnxruntime-node, and those that the service gives. */
  async function compare(behind: readonly Wrapping[], spelling = {}) {
    const model = wrapResnet({ behind }, spelling);
    const reference = await runOriginal(model, 'NCHW', 'float32', normalise);
    const imported = await take(model);
    const data = Float32Array.from(samples('NCHW'), normalise);
    const [logits] = await runModel(imported.bytes, [data], imageShape);
    const { name, kind, scoring, classes } = imported.output;
    const output = { name, kind, scoring, classes, threshold: 0 };
    const predictions = toPredictions(logits!, { output }, labels.slice(0, classes), {
      topK: 10,
      scoring: 'model',
    });
    const scores = predictions.toSorted((a, b) => a.class_index - b.class_index).map(({ score }) => score);
    return { reference, scores, imported };
  }

  test.each([
    ['Softmax', [softmax], 'softmax'],
    ['Softmax behind an Identity', [softmax, identity], 'softmax'],
    ['Softmax behind a Cast', [softmax, castTo('FP64'), castTo('FP32')], 'softmax'],
    ['Sigmoid', [sigmoid], 'sigmoid'],
    ['Sigmoid behind an Identity', [sigmoid, identity], 'sigmoid'],
  ])('%s: scores as the graph gave them, by logits and the service', async (_, behind, scoring) => {
    const { reference, scores, imported } = await compare(behind);
    expect(scores).toEqual(Array.from(reference, (value) => expect.closeTo(value, 5)));
    expect(imported.output).toMatchObject({ kind: 'logits', scoring, classes: 10 });
    expect(imported.model.graph.nodes.at(-1)?.opType).toBe('Gemm');
  });

  test('a softmax in single steps is seen by what it gives', async () => {
    const behind: Wrapping[] = [{ opType: 'LogSoftmax', attributes: { axis: int(1) } }, { opType: 'Exp' }];
    const { reference, scores, imported } = await compare(behind);
    expect(scores).toEqual(Array.from(reference, (value) => expect.closeTo(value, 5)));
    expect(imported.output.kind).toBe('probabilities');
  });

  const pickFirst: Wrapping = {
    opType: 'Slice',
    constants: [int64Tensor([0]), int64Tensor([1]), int64Tensor([1])],
  };
  test('one sigmoid is two classes', async () => {
    const { reference, scores, imported } = await compare([pickFirst, sigmoid]);
    expect(scores).toEqual([expect.closeTo(1 - reference[0]!, 5), expect.closeTo(reference[0]!, 5)]);
    expect(imported.output).toMatchObject({ scoring: 'softmax', classes: 2 });
  });
  test.each(['gemm', 'gemm-plain', 'matmul-add'] as const)(
    'one logit too, inside the last layer: %s',
    async (classifier) => {
      const model = wrapResnet({}, { classifier });
      const { graph } = model;
      const layer = graph.nodes.findLast(({ opType }) => opType === 'Gemm' || opType === 'MatMul')!;
      const bias = graph.nodes.at(-1)!.inputs.findLast((name) => graph.initializers.has(name))!;
      const first = (name: string, shape: number[], step: number) => {
        const { data } = graph.initializers.get(name)!;
        const length = shape.reduce((product, size) => product * size, 1);
        const values = Array.from({ length }, (_, i) => Number(data[i * step]));
        graph.initializers.set(name, perChannel(values, shape));
      };
      const isTransposed = classifier === 'gemm';
      first(layer.inputs[1]!, isTransposed ? [1, 16] : [16, 1], isTransposed ? 1 : 10);
      first(bias, [1], 1);
      const logit = (await runOriginal(model, 'NCHW', 'float32', normalise))[0]!;
      const imported = await take(model);
      expect(imported.model.graph.nodes.at(-1)?.opType).toBe(graph.nodes.at(-1)?.opType);
      const [logits] = await runModel(
        imported.bytes,
        [Float32Array.from(samples('NCHW'), normalise)],
        imageShape,
      );
      expect(Array.from(logits!)).toEqual([0, expect.closeTo(logit, 3)]);
    },
  );
  test('a softmax over one number is refused', async () => {
    await expect(take(wrapResnet({ behind: [pickFirst, softmax] }))).rejects.toThrow('1.0 for every image');
  });
  test('an ArgMax is refused, naming what stands before it; which then is taken', async () => {
    const model = wrapResnet({ behind: [{ opType: 'ArgMax', attributes: { axis: int(1) } }] });
    await expect(take(model)).rejects.toThrow("add --output 'bare'");
    expect((await take(model, 'bare')).output).toMatchObject({ name: 'bare', classes: 10 });
  });
  test('of two outputs one is named', async () => {
    const model = wrapResnet({});
    const features = model.graph.nodes.find(({ opType }) => opType === 'Flatten')!.outputs[0]!;
    model.graph.outputs = [
      { name: 'logits', elementType: 1, shape: ['N', 10] },
      { name: features, elementType: 1, shape: ['N', 16] },
    ];
    await expect(take(model)).rejects.toThrow(`2 outputs, 'logits' [N,10], '${features}' [N,16]`);
    const { output, model: made } = await take(model, 'logits');
    expect(output.classes).toBe(10);
    expect(made.graph.outputs).toHaveLength(1);
    await expect(take(model, 'nothing')).rejects.toThrow("makes no 'nothing'");
  });
  test('pooled features alone are a backbone', async () => {
    const model = wrapResnet({});
    const name = model.graph.nodes.find(({ opType }) => opType === 'GlobalAveragePool')!.outputs[0]!;
    const imported = await take(model, name);
    expect(imported).toMatchObject({ endsInFeatures: true, output: { classes: 16, kind: 'logits' } });
    expect((await take(wrapResnet({}))).endsInFeatures).toBe(false);
  });
  test('a feature map is no row of scores', async () => {
    const model = wrapResnet({});
    const name = model.graph.nodes.find(({ opType }) => opType === 'MaxPool')!.outputs[0]!;
    await expect(take(model, name)).rejects.toThrow('is it a feature map?');
  });
  test('scores in [1, classes, 1, 1] are flattened', async () => {
    const unsqueeze: Wrapping = { opType: 'Unsqueeze', constants: [int64Tensor([2, 3])] };
    expect((await take(wrapResnet({ behind: [unsqueeze] }))).output.classes).toBe(10);
  });
});

describe('what lies between the ends', () => {
  test('half precision becomes single', async () => {
    const model = parseModel(
      buildResnet({ opset: 17, norm: 'folded', half: true, input: [1, ...imageShape] }),
    );
    // As `model.half()` is exported: no casts at all.
    const { graph } = model;
    graph.inputs = [{ ...graph.inputs[0]!, elementType: 10 }];
    const { bytes, notes } = await take(model);
    expect(notes).toContain('The input was FP16, and is FP32 now.');
    expect(parseModel(bytes).graph.inputs[0]).toMatchObject({ elementType: 1, shape: ['N', ...imageShape] });
    const datatypes = Array.from(parseModel(bytes).graph.initializers.values(), ({ datatype }) => datatype);
    expect(datatypes).not.toContain('FP16');
  });
  test('constants are worked out, so that the graph can be quantized', async () => {
    const model = parseModel(buildResnet({ opset: 13 }));
    const norm = model.graph.nodes.find(({ opType }) => opType === 'BatchNormalization')!;
    // torch without its optimizer, and onnxoptimizer: a parameter expanded from one number, another as a root.
    model.graph.initializers.set('one', perChannel([1.21], [1]));
    model.graph.initializers.set('eight', int64Tensor([8]));
    const make = (opType: string, inputs: string[], output: string) => ({
      name: output,
      opType,
      domain: '',
      inputs,
      outputs: [output],
      attributes: new Map(),
    });
    model.graph.nodes.unshift(
      make('Expand', ['one', 'eight'], 'expanded'),
      make('Sqrt', ['expanded'], 'root'),
    );
    norm.inputs[1] = 'root';
    const { bytes } = await take(model);
    expect(parseModel(bytes).graph.nodes.map(({ opType }) => opType)).not.toContain('Sqrt');
    async function* images() {
      yield* smoothImages(4, 1);
    }
    const quantized = await quantizeModel(bytes, { calibration: images(), method: 'minmax' });
    const image = smoothImages(1, 9)[0]!;
    const [before] = await runModel(serialiseModel(model), [image], imageShape);
    const [after] = await runModel(quantized.model, [image], imageShape);
    expect(argmax(after!)).toBe(argmax(before!));
  });
  test.each([1, 8])('a batch of %i that the exporter fixed is freed', async (batch) => {
    const spelling = { flatten: 'reshape-constant', input: [batch, ...imageShape] } as const;
    const model = parseModel(buildResnet({ opset: 13, norm: 'folded', ...spelling }));
    const images = smoothImages(2, 5);
    const reference = await runModel(serialiseModel(model), images, imageShape, batch);
    const { bytes } = await take(model);
    for (const size of [1, 3]) {
      const actual = await runModel(bytes, images, imageShape, size);
      actual.forEach((logits, i) => {
        expect(Array.from(logits)).toEqual(closeTo(reference[i]!));
      });
    }
  });
  test.each([
    ['two inputs that are read', 'one input'],
    ['an input of four channels', '3 channels'],
    ['sides that differ', 'only squares'],
    ['a row of numbers', 'an image is'],
  ])('%s: refused', async (what, message) => {
    const model = wrapResnet({});
    const [input] = model.graph.inputs;
    const shapes: Record<string, readonly number[]> = {
      'an input of four channels': [1, 4, 32, 32],
      'sides that differ': [1, 3, 32, 48],
      'a row of numbers': [1, 3072],
    };
    model.graph.inputs = [{ ...input!, shape: shapes[what] ?? input!.shape }];
    if (what.startsWith('two')) {
      model.graph.inputs.push({ name: 'other', elementType: 1, shape: [1] });
      model.graph.nodes[0]!.inputs.push('other');
    }
    await expect(take(model)).rejects.toThrow(message);
  });
  test('an input that nothing reads is dropped', async () => {
    const model = wrapResnet({});
    model.graph.inputs.push({ name: 'left_over', elementType: 1, shape: [1] });
    expect((await take(model)).model.graph.inputs).toHaveLength(1);
  });
});
