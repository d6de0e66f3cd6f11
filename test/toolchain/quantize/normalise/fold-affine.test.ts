import { expect, test } from 'vitest';
import type { OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import type { OnnxTensor } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import { foldAffine } from '../../../../src/toolchain/quantize/normalise/fold-affine.ts';
import { floats, int, ints, toGraph, toLines, toNode, toShapes, valuesOf, vector } from './small-graph.ts';

const constants = {
  w: floats([2, 2, 1, 1], 1, 2, 3, 4),
  b: vector(5, 6),
  c: floats([2, 1, 1], 10, 100),
};

function fold(nodes: OnnxNode[], more: Record<string, OnnxTensor> = {}) {
  const graph = toGraph(nodes, { ...constants, ...more });
  foldAffine(graph, toShapes(graph, 2, 4, 4));
  return graph;
}
const conv = (inputs = ['x', 'w', 'b']) => toNode('Conv', inputs, 'c1');

test('a factor goes into the weights and the bias of the convolution before it', () => {
  const graph = fold([conv(), toNode('Mul', ['c1', 'c'], 'y')]);
  expect(toLines(graph)).toEqual(['y = Conv(x,w_folded,b_bias_folded)']);
  expect(graph.initializers.get('w_folded')!.shape).toEqual([2, 2, 1, 1]);
  expect(valuesOf(graph, 'w_folded')).toEqual([10, 20, 300, 400]);
  expect(valuesOf(graph, 'b_bias_folded')).toEqual([50, 600]);
  expect(valuesOf(graph, 'w')).toEqual([1, 2, 3, 4]);
});

test.each([{ inputs: ['x', 'w'] }, { inputs: ['x', 'w', ''] }])(
  'a term becomes the bias of a convolution that has none ($inputs)',
  ({ inputs }) => {
    const graph = fold([conv(inputs), toNode('Sub', ['c1', 'c'], 'y')]);
    expect(toLines(graph)).toEqual(['y = Conv(x,w_folded,w_bias_folded)']);
    expect(valuesOf(graph, 'w_folded')).toEqual([1, 2, 3, 4]);
    expect(valuesOf(graph, 'w_bias_folded')).toEqual([-10, -100]);
  },
);

test('several, one behind the other, are folded in their order', () => {
  const graph = fold([conv(), toNode('Mul', ['c1', 'c'], 'm'), toNode('Add', ['m', 'c'], 'y')]);
  expect(graph.nodes).toHaveLength(1);
  const [, weights, bias] = graph.nodes[0]!.inputs as [string, string, string];
  expect(valuesOf(graph, weights)).toEqual([10, 20, 300, 400]);
  expect(valuesOf(graph, bias)).toEqual([60, 700]);
});

test('of convolutions that share weights each has its own', () => {
  const graph = fold([
    conv(),
    toNode('Mul', ['c1', 'c'], 'm'),
    toNode('Conv', ['m', 'w', 'b'], 'c2'),
    toNode('Add', ['c2', 'c'], 'y'),
  ]);
  expect(toLines(graph)).toEqual([
    'm = Conv(x,w_folded,b_bias_folded)',
    'y = Conv(m,w_folded_2,b_bias_folded_2)',
  ]);
  expect(valuesOf(graph, 'w_folded_2')).toEqual([1, 2, 3, 4]);
  expect(valuesOf(graph, 'b_bias_folded_2')).toEqual([15, 106]);
});

test.each<[string, OnnxNode[]]>([
  ['the input', []],
  ['another operator', [toNode('Relu', ['x'], 'c1')]],
  ['a convolution that others read', [conv(), toNode('Relu', ['c1'], 'r')]],
  ['a convolution of computed weights', [toNode('Relu', ['w'], 'v'), conv(['x', 'v'])]],
  ['a convolution of a computed bias', [toNode('Relu', ['b'], 'v'), conv(['x', 'w', 'v'])]],
])('behind %s it becomes a depthwise convolution', (_, before) => {
  const source = before.length === 0 ? 'x' : 'c1';
  const graph = fold([...structuredClone(before), toNode('Mul', [source, 'c'], 'y')]);
  expect(graph.nodes.slice(0, -1)).toEqual(before);
  expect(toLines(graph).at(-1)).toBe(`y = Conv(${source},y_scale,y_shift)`);
  expect(Object.fromEntries(graph.nodes.at(-1)!.attributes)).toEqual({
    dilations: ints(1, 1),
    group: int(2),
    kernel_shape: ints(1, 1),
    pads: ints(0, 0, 0, 0),
    strides: ints(1, 1),
  });
  expect(graph.initializers.get('y_scale')).toEqual(floats([2, 1, 1, 1], 10, 100));
  expect(graph.initializers.get('y_shift')).toEqual(vector(0, 0));
});

test('a BatchNormalization that becomes one has one output', () => {
  const node = toNode('BatchNormalization', ['x', 'one', 'b', 'zero', 'one'], 'y');
  node.outputs.push('', '');
  const graph = fold([node], { one: vector(1, 1), zero: vector(0, 0) });
  expect(toLines(graph)).toEqual(['y = Conv(x,y_scale,y_shift)']);
  expect(valuesOf(graph, 'y_shift')).toEqual([5, 6]);
});
