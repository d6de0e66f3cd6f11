import { describe, expect, test } from 'vitest';
import type { AttributeValue, OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import type { OnnxTensor } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import { canonicaliseClassifier } from '../../../../src/toolchain/quantize/normalise/canonical-classifier.ts';
import { float, floats, int, toGraph, toLines, toNode, valuesOf, vector } from './small-graph.ts';

/** Two features, three classes. */
const constants = {
  w: floats([2, 3], 1, 2, 3, 4, 5, 6),
  transposed: floats([3, 2], 1, 4, 2, 5, 3, 6),
  b: vector(7, 8, 9),
  one: vector(5),
  row: floats([1, 3], 7, 8, 9),
  column: floats([3, 1], 7, 8, 9),
  two: vector(1, 2),
  matrix: floats([2, 3], 1, 2, 3, 4, 5, 6),
  cube: floats([3, 2, 1], 1, 2, 3, 4, 5, 6),
};

function canonicalise(nodes: OnnxNode[], more: Record<string, OnnxTensor> = {}) {
  const graph = toGraph(nodes, { ...constants, ...more });
  canonicaliseClassifier(graph);
  return graph;
}
const gemm = (inputs: string[], attributes: Record<string, AttributeValue> = {}) =>
  canonicalise([toNode('Gemm', ['x', ...inputs], 'y', attributes)]);

/** What the one layer of a graph holds. */
function layerOf({ nodes, initializers }: ReturnType<typeof canonicalise>) {
  const { opType, inputs, attributes } = nodes[0]!;
  const [, weights, bias] = inputs as [string, string, string];
  const read = (name: string) => ({
    shape: initializers.get(name)!.shape,
    data: [...initializers.get(name)!.data],
  });
  return { opType, attributes: Object.fromEntries(attributes), weights: read(weights), bias: read(bias) };
}
const layer = (weights: number[], bias: number[]) => ({
  opType: 'Gemm',
  attributes: { transB: int(1) },
  weights: { shape: [3, 2], data: weights },
  bias: { shape: [3], data: bias },
});

describe('a Gemm has weights [classes, features] and a bias', () => {
  test.each([
    { spelling: 'as it is', inputs: ['transposed', 'b'], attributes: { transB: int(1) } },
    { spelling: 'from [features, classes]', inputs: ['w', 'b'], attributes: {} },
    {
      spelling: 'with a bias of one row',
      inputs: ['w', 'row'],
      attributes: { transB: int(0), transA: int(0) },
    },
  ])('$spelling', ({ inputs, attributes }) => {
    expect(layerOf(gemm(inputs, attributes))).toEqual(layer([1, 4, 2, 5, 3, 6], [7, 8, 9]));
  });

  test.each([
    { inputs: ['transposed'], transB: 1 },
    { inputs: ['w', ''], transB: 0 },
  ])('of zeros where it has none', ({ inputs, transB }) => {
    const attributes = { transB: int(transB), beta: float(3) };
    expect(layerOf(gemm(inputs, attributes))).toEqual(layer([1, 4, 2, 5, 3, 6], [0, 0, 0]));
  });

  test.each([
    { weights: 'w', transB: 0 },
    { weights: 'transposed', transB: 1 },
  ])('with alpha and beta in them, from $weights', ({ weights, transB }) => {
    const attributes = { alpha: float(2), beta: float(3), transB: int(transB) };
    expect(layerOf(gemm([weights, 'b'], attributes))).toEqual(layer([2, 8, 4, 10, 6, 12], [21, 24, 27]));
  });

  test('with one value for all classes written out', () => {
    expect(layerOf(gemm(['w', 'one'])).bias).toEqual({ shape: [3], data: [5, 5, 5] });
  });
});

describe('a MatMul becomes such a Gemm', () => {
  const matMul = toNode('MatMul', ['x', 'w'], 'm');
  const make = (...more: OnnxNode[]) => canonicalise([structuredClone(matMul), ...more]);

  test('with zeros', () => {
    const graph = make();
    expect(toLines(graph)).toEqual(['m = Gemm(x,w,m_bias)']);
    expect(layerOf(graph)).toEqual(layer([1, 4, 2, 5, 3, 6], [0, 0, 0]));
  });

  test.each([[['m', 'b']], [['b', 'm']]])('with the constant of Add(%s) behind it', (inputs) => {
    const graph = make(toNode('Add', inputs, 'y'));
    expect(toLines(graph)).toEqual(['y = Gemm(x,w,b)']);
    expect(layerOf(graph)).toEqual(layer([1, 4, 2, 5, 3, 6], [7, 8, 9]));
  });

  test.each([
    ['another operator', [toNode('Mul', ['m', 'b'], 'y')]],
    ['an Add of what is computed', [toNode('Relu', ['x'], 'r'), toNode('Add', ['m', 'r'], 'y')]],
    ['two readers', [toNode('Add', ['m', 'b'], 'y'), toNode('Relu', ['m'], 'z')]],
  ])('and leaves %s behind it alone', (_, nodes) => {
    const graph = make(...nodes);
    expect(toLines(graph).slice(1)).toEqual(toLines({ ...graph, nodes }));
    expect(layerOf(graph).bias.data).toEqual([0, 0, 0]);
  });
});

test('constants that two layers share are written for each', () => {
  const graph = canonicalise([
    toNode('Gemm', ['x', 'w', 'b'], 'y', { alpha: float(2) }),
    toNode('Gemm', ['x', 'w', 'b'], 'z'),
  ]);
  expect(toLines(graph)).toEqual(['y = Gemm(x,y_weight,y_bias)', 'z = Gemm(x,w,b)']);
  expect(valuesOf(graph, 'y_weight')).toEqual([2, 8, 4, 10, 6, 12]);
  expect(valuesOf(graph, 'w')).toEqual([1, 4, 2, 5, 3, 6]);
});

describe('is refused', () => {
  const twoDimensions = "node 'node_y' (Gemm): its weights must be a constant of two dimensions";
  const ofClasses = "node 'node_y' (Gemm): its bias must be a constant of 3 elements";
  test.each([
    [
      'a transposed input',
      ['w', 'b'],
      { transA: int(1) },
      "node 'node_y' (Gemm): transposes its input (transA)",
    ],
    ['computed weights', ['computed', 'b'], {}, twoDimensions],
    ['weights of three dimensions', ['cube', 'b'], {}, twoDimensions],
    ['a computed bias', ['w', 'computed'], {}, ofClasses],
    ['a bias of another length', ['w', 'two'], {}, ofClasses],
    ['a bias that is a column', ['w', 'column'], {}, ofClasses],
    ['a bias of several rows', ['w', 'matrix'], {}, ofClasses],
  ])('%s', (_, inputs, attributes, message) => {
    expect(() => gemm(inputs, attributes as Record<string, AttributeValue>)).toThrow(message);
  });
});
