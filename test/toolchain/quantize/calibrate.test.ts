import { describe, expect, test } from 'vitest';
import type { OnnxNode } from '../../../src/toolchain/onnx/onnx-graph.ts';
import { calibrate } from '../../../src/toolchain/quantize/calibrate.ts';
import type { NormalisedGraph } from '../../../src/toolchain/quantize/normalise/normalise-graph.ts';
import { floats, int, toGraph, toNode, vector } from './normalise/small-graph.ts';

/** On images of one channel and two pixels: a ReLU of twice the image, that plus the image, and its mean. */
function toNormalised(isHeadOfFloats = false): NormalisedGraph {
  const pool = toNode('GlobalAveragePool', ['a'], 'p');
  const flatten = toNode('Flatten', ['p'], 'f');
  const classifier = toNode('Gemm', ['f', 'v', 'b'], 'y', { transB: int(1) });
  const graph = toGraph(
    [
      toNode('Conv', ['x', 'w'], 'c'),
      toNode('Relu', ['c'], 'r'),
      toNode('Add', ['r', 'x'], 'a'),
      pool,
      flatten,
      classifier,
    ],
    { w: floats([1, 1, 1, 1], 2), v: floats([1, 1], 1), b: vector(0) },
  );
  graph.inputs[0] = { ...graph.inputs[0]!, shape: ['N', 1, 1, 2] };
  const head = new Set<OnnxNode>(isHeadOfFloats ? [pool, flatten, classifier] : []);
  return { graph, head, imageShape: [1, 1, 2], classes: 1, notes: [] };
}

async function* each(...images: number[][]): AsyncGenerator<Float32Array> {
  for (const image of images) yield Float32Array.from(image);
}

async function run(normalised: NormalisedGraph, ...images: number[][]) {
  const told: number[] = [];
  const { histograms, images: count } = await calibrate(normalised, each(...images), (n) => told.push(n));
  const seen = [...histograms].map(([name, { min, max, total }]) => ({ name, min, max, total }));
  return { seen, count, told };
}

test('sees what the network makes of every image, ReLUs merged into what is before them', async () => {
  expect(await run(toNormalised(), [1, -3], [5, 2])).toEqual({
    seen: [
      { name: 'x', min: -3, max: 5, total: 4 },
      { name: 'r', min: 0, max: 10, total: 4 },
      { name: 'a', min: -3, max: 15, total: 4 },
      { name: 'p', min: 0, max: 10.5, total: 2 },
    ],
    count: 2,
    told: [1, 2],
  });
});

test('sees nothing of a head that stays in floats', async () => {
  const { seen } = await run(toNormalised(true), [1, 2]);
  expect(seen.map(({ name }) => name)).toEqual(['x', 'r', 'a']);
});

describe('is refused', () => {
  test.each([
    ['no image', [], 'calibration needs at least one image'],
    ['one that is too short', [[1, 2], [1]], 'calibration image 1 must have 2 elements, has 1'],
    ['one that is too long', [[1, 2, 3]], 'calibration image 0 must have 2 elements, has 3'],
    ['one that is no number', [[1, Number.NaN]], "activation 'x': element 1 of the activation is NaN"],
    ['one that overflows', [[1, 3e38]], "activation 'r': element 1 of the activation is Infinity"],
  ])('%s', async (_, images, message) => {
    const refusal = run(toNormalised(), ...images);
    await expect(refusal).rejects.toThrow(new RangeError(message));
  });
});
