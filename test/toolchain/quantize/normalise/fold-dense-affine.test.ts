import { expect, test } from 'vitest';
import type { OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import { foldDenseAffine } from '../../../../src/toolchain/quantize/normalise/fold-dense-affine.ts';
import { float, floats, int, toGraph, toLines, toNode, toShapes, valuesOf, vector } from './small-graph.ts';

/** Three features to two, and two to two. Its BatchNormalizations are 2x + 10 and 4x + 20, exactly. */
function fold(nodes: OnnxNode[]) {
  const graph = toGraph(structuredClone(nodes), {
    w: floats([2, 3], 1, 2, 3, 4, 5, 6),
    b: vector(7, 8),
    v: floats([2, 2], 1, 2, 3, 4),
    gamma: vector(2, 4),
    beta: vector(10, 20),
    mean: vector(0, 0),
    variance: vector(0, 0),
    gamma3: vector(2, 4, 1),
    beta3: vector(10, 20, 30),
    mean3: vector(0, 0, 0),
    variance3: vector(0, 0, 0),
  });
  foldDenseAffine(graph, toShapes(graph, 3));
  return graph;
}
const norm = (input: string, output: string, suffix = '') => {
  const parameters = ['gamma', 'beta', 'mean', 'variance'].map((name) => name + suffix);
  return toNode('BatchNormalization', [input, ...parameters], output, { epsilon: float(1) });
};
const layer = (input: string, weights: string, output: string) =>
  toNode('Gemm', [input, weights, 'b'], output, { transB: int(1) });

test('one between layers goes into the one behind it', () => {
  const graph = fold([norm('x', 'n', '3'), layer('n', 'w', 'y')]);
  expect(toLines(graph)).toEqual(['y = Gemm(x,w_folded,b_folded)']);
  expect(graph.initializers.get('w_folded')!.shape).toEqual([2, 3]);
  expect(valuesOf(graph, 'w_folded')).toEqual([2, 8, 3, 8, 20, 6]);
  // 7 + 1*10 + 2*20 + 3*30 and 8 + 4*10 + 5*20 + 6*30
  expect(graph.initializers.get('b_folded')).toEqual(vector(147, 328));
  expect(valuesOf(graph, 'w')).toEqual([1, 2, 3, 4, 5, 6]);
});

test('one with no layer behind it goes into the one before it', () => {
  const graph = fold([layer('x', 'w', 'l'), norm('l', 'n'), toNode('Relu', ['n'], 'y')]);
  expect(toLines(graph)).toEqual(['n = Gemm(x,w_folded,b_folded)', 'y = Relu(n)']);
  expect(graph.initializers.get('w_folded')!.shape).toEqual([2, 3]);
  expect(valuesOf(graph, 'w_folded')).toEqual([2, 4, 6, 16, 20, 24]);
  expect(valuesOf(graph, 'b_folded')).toEqual([24, 52]);
});

test('layers that share weights have their own afterwards', () => {
  const graph = fold([
    layer('x', 'w', 'l'),
    norm('l', 'n'),
    toNode('Relu', ['n'], 'r'),
    norm('r', 'm'),
    layer('m', 'v', 'y'),
  ]);
  expect(toLines(graph)).toEqual([
    'n = Gemm(x,w_folded,b_folded)',
    'r = Relu(n)',
    'y = Gemm(r,v_folded,b_folded_2)',
  ]);
  expect(valuesOf(graph, 'v_folded')).toEqual([2, 8, 6, 16]);
  expect(valuesOf(graph, 'b_folded_2')).toEqual([57, 118]);
});

test.each<[string, OnnxNode[]]>([
  [
    'that no layer stands beside',
    [toNode('Relu', ['x'], 'r'), norm('r', 'n', '3'), toNode('Relu', ['n'], 'y')],
  ],
  ['behind a layer that others read', [layer('x', 'w', 'l'), norm('l', 'n'), toNode('Add', ['n', 'l'], 'y')]],
  [
    'whose result others read, beside no layer of its own',
    [norm('x', 'n', '3'), layer('n', 'w', 'l'), toNode('Relu', ['n'], 'y')],
  ],
])('one %s stays', (_, nodes) => {
  expect(fold(nodes).nodes).toEqual(nodes);
});

test('what is no BatchNormalization stays', () => {
  const nodes = [{ ...norm('x', 'n', '3'), opType: 'Relu' }, layer('n', 'w', 'y')];
  expect(fold(nodes).nodes).toEqual(nodes);
});

test('one of feature maps is left to the convolutions', () => {
  const nodes = [norm('x', 'y')];
  const graph = toGraph(structuredClone(nodes));
  foldDenseAffine(graph, toShapes(graph, 2, 4, 4));
  expect(graph.nodes).toEqual(nodes);
});
