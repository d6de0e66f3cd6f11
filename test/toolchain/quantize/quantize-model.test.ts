import { describe, expect, test } from 'vitest';
import { parseModel, serialiseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { type QuantizeOptions, quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { floats, int, toGraph, toLines, toNode, vector } from './normalise/small-graph.ts';

/** On images of one channel and two pixels: twice the image and the image, their mean, a layer of two classes. */
function toModel(): Uint8Array {
  const graph = toGraph(
    [
      toNode('Conv', ['x', 'w'], 'c'),
      toNode('Add', ['c', 'x'], 'a'),
      toNode('GlobalAveragePool', ['a'], 'p'),
      toNode('Flatten', ['p'], 'f'),
      toNode('Gemm', ['f', 'v', 'b'], 'l', { transB: int(1) }),
      toNode('Softmax', ['l'], 'y'),
    ],
    { w: floats([1, 1, 1, 1], 2), v: floats([2, 1], 1, -1), b: vector(0, 0) },
  );
  graph.inputs[0] = { name: 'x', elementType: 1, shape: ['N', 1, 1, 2] };
  graph.outputs[0] = { name: 'y', elementType: 1, shape: ['N', 2] };
  return serialiseModel({ irVersion: 7, producerName: '', opsets: new Map([['', 13]]), graph });
}

const model = toModel();
let isClosed: boolean | undefined;
async function* each(...images: number[][]): AsyncGenerator<Float32Array> {
  isClosed = false;
  try {
    for (const image of images) yield Float32Array.from(image);
  } finally {
    isClosed = true;
  }
}
const quantize = (images: number[][], options: Partial<QuantizeOptions> = {}) =>
  quantizeModel(model, { calibration: each(...images), method: 'minmax', ...options });

test('reports what was seen, what is covered, and what changed', async () => {
  const told: unknown[] = [];
  const quantized = await quantize(
    [
      [-51, 0],
      [204, 51],
    ],
    { onProgress: (event) => told.push(event) },
  );
  const { activations, ...report } = quantized.report;
  expect(report).toEqual({
    method: 'minmax',
    calibrationImages: 2,
    imageShape: [1, 1, 2],
    classes: 2,
    sourceBytes: model.length,
    bytes: quantized.model.length,
    notes: ["dropped the final Softmax 'node_y': the output is logits now"],
  });
  const activation = (tensor: string, min: number, max: number, scale: number, zeroPoint: number) => {
    return { tensor, seen: { min, max }, covered: { min, max }, scale, zeroPoint };
  };
  expect(activations).toEqual([
    // 255 steps from -51 to 204.
    activation('x', -51, 204, 1, 51),
    activation('c', -102, 408, 2, 51),
    activation('a', -153, 612, 3, 51),
    // The means are -76.5 and 382.5.
    activation('p', -76.5, 382.5, Math.fround(459 / 255), 42),
  ]);
  expect(told).toEqual([
    { stage: 'calibrate', images: 1 },
    { stage: 'calibrate', images: 2 },
    { stage: 'quantize' },
  ]);
  expect(isClosed).toBe(true);
});

test('writes a model of opset 13 with what it reports', async () => {
  const { irVersion, producerName, opsets, graph } = parseModel((await quantize([[-51, 204]])).model);
  expect({ irVersion, producerName, opsets }).toEqual({
    irVersion: 7,
    producerName: 'resnet-edge',
    opsets: new Map([['', 13]]),
  });
  expect(toLines(graph).slice(0, 2)).toEqual([
    'x_Q = QuantizeLinear(x,x_s,x_z)',
    'x_DQ = DequantizeLinear(x_Q,x_s,x_z)',
  ]);
  expect(graph.initializers.get('c_s')).toEqual(floats([], 2));
});

describe('a percentile', () => {
  // Of 2,000 values 1,998 are -1 and 1 by turns, and one at each end is far.
  const images = Array.from({ length: 1000 }, (_, i) => (i === 0 ? [-900, 900] : [-1, 1]));

  test('leaves out its share at each end', async () => {
    const { report } = await quantize(images, { method: 'percentile', percentile: 99.8 });
    expect(report).toMatchObject({ method: 'percentile', percentile: 99.8 });
    expect(report.activations[0]!.seen).toEqual({ min: -900, max: 900 });
    expect(report.activations[0]!.covered.max).toBeLessThan(1.2);
  });

  test('is 99.999 where none is given, which leaves nothing out of so few', async () => {
    const { report } = await quantize(images, { method: 'percentile' });
    expect(report.percentile).toBe(99.999);
    expect(report.activations[0]!.covered.max).toBe(900);
  });

  test('may be 100', async () => {
    expect(
      (await quantize(images.slice(0, 2), { method: 'percentile', percentile: 100 })).report.percentile,
    ).toBe(100);
  });

  test.each([0, -1, 100.1, Number.NaN])('of %d is refused before an image is read', async (percentile) => {
    isClosed = undefined;
    await expect(quantize(images, { method: 'percentile', percentile })).rejects.toThrow(
      new RangeError(`percentile must be above 0 and at most 100, got: ${percentile}`),
    );
    expect(isClosed).toBeUndefined();
  });
});

test('without images there is nothing to learn from', async () => {
  await expect(quantize([])).rejects.toThrow(new RangeError('calibration needs at least one image'));
});

test('images are closed when one of them is wrong', async () => {
  await expect(
    quantize([
      [1, 2],
      [1, 2, 3],
      [1, 2],
    ]),
  ).rejects.toThrow('calibration image 1 must have 2 elements');
  expect(isClosed).toBe(true);
});
