import { expect, test } from 'vitest';
import type { AttributeValue, OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import type { OnnxTensor } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import { canonicaliseConvHead } from '../../../../src/toolchain/quantize/normalise/canonical-conv-head.ts';
import { floats, int, ints, toGraph, toLines, toNode, toShapes, valuesOf, vector } from './small-graph.ts';

const constants = {
  w: floats([3, 2, 1, 1], 1, 2, 3, 4, 5, 6),
  b: vector(7, 8, 9),
  flat: floats([3, 2], 1, 2, 3, 4, 5, 6),
  wide: floats([1, 2, 3, 3], ...new Array<number>(18).fill(1)),
  grouped: floats([2, 1, 1, 1], 1, 2),
  w_matrix: vector(0),
};
const pool = toNode('GlobalAveragePool', ['x'], 'p');

function canonicalise(nodes: OnnxNode[], more: Record<string, OnnxTensor> = {}) {
  const graph = toGraph(structuredClone(nodes), { ...constants, ...more });
  canonicaliseConvHead(graph, toShapes(graph, 2, 4, 4));
  return graph;
}
const conv = (inputs: string[], output = 'y', attributes: Record<string, AttributeValue> = {}) =>
  toNode('Conv', inputs, output, attributes);

test.each([
  { behind: 'nothing', nodes: [pool, conv(['p', 'w', 'b'])] },
  { behind: 'a Flatten', nodes: [pool, conv(['p', 'w', 'b'], 'c'), toNode('Flatten', ['c'], 'y')] },
  {
    behind: 'two',
    nodes: [
      pool,
      conv(['p', 'w', 'b'], 'c', { group: int(1) }),
      toNode('Flatten', ['c'], 'f'),
      toNode('Flatten', ['f'], 'y'),
    ],
  },
])('a 1x1 convolution of pooled features with $behind behind it becomes Flatten and Gemm', ({ nodes }) => {
  const graph = canonicalise(nodes);
  expect(toLines(graph)).toEqual([
    'p = GlobalAveragePool(x)',
    'y_features = Flatten(p)',
    'y = Gemm(y_features,w_matrix_2,b)',
  ]);
  expect(graph.nodes[1]).toMatchObject({
    name: 'y_features',
    domain: '',
    attributes: new Map([['axis', int(1)]]),
  });
  expect(graph.nodes[2]!.attributes).toEqual(new Map([['transB', int(1)]]));
  expect(graph.initializers.get('w_matrix_2')!.shape).toEqual([3, 2]);
  expect(valuesOf(graph, 'w_matrix_2')).toEqual([1, 2, 3, 4, 5, 6]);
});

test('it may have no bias', () => {
  expect(toLines(canonicalise([pool, conv(['p', 'w'])]))[2]).toBe('y = Gemm(y_features,w_matrix_2)');
});

test.each<[string, OnnxNode[]]>([
  ['of a feature map', [conv(['x', 'w', 'b'])]],
  ['of 3x3', [pool, conv(['p', 'wide'], 'y', { pads: ints(1, 1, 1, 1) })]],
  ['in groups', [pool, conv(['p', 'grouped'], 'y', { group: int(2) })]],
  ['whose result goes back into the network', [pool, conv(['p', 'w'], 's'), toNode('Relu', ['s'], 'y')]],
  ['of computed weights', [toNode('Relu', ['w'], 'computed'), pool, conv(['p', 'computed'])]],
  ['that there is not', [pool, toNode('Flatten', ['p'], 'y')]],
])('a convolution %s stays', (_, nodes) => {
  const graph = canonicalise(nodes);
  expect(graph.nodes).toEqual(nodes);
});

test('a head that is a layer already stays', () => {
  const nodes = [pool, toNode('Flatten', ['p'], 'f'), toNode('Gemm', ['f', 'flat'], 'y', { transB: int(1) })];
  expect(canonicalise(nodes).nodes).toEqual(nodes);
});
