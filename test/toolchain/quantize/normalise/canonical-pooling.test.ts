import { describe, expect, test } from 'vitest';
import type { AttributeValue, OnnxGraph, OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import { int64Tensor } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import { canonicalisePooling } from '../../../../src/toolchain/quantize/normalise/canonical-pooling.ts';
import { int, ints, toGraph, toLines, toNode, toShapes } from './small-graph.ts';

type Attributes = Record<string, AttributeValue>;

/** On feature maps of 5 x 4 x 3. */
function canonicalise(...nodes: OnnxNode[]): OnnxGraph {
  const graph = toGraph(nodes, {
    sides: int64Tensor([2, 3]),
    backwards: int64Tensor([-1, -2]),
    flat: int64Tensor([0, -1]),
    halves: int64Tensor([0, 2, 30]),
  });
  canonicalisePooling(graph, toShapes(graph, 5, 4, 3));
  return graph;
}

describe.each([
  ['ReduceMean', 'GlobalAveragePool'],
  ['ReduceMax', 'GlobalMaxPool'],
])('%s', (opType, pool) => {
  test.each<[string, string[], Attributes]>([
    ['an attribute', ['x'], { axes: ints(2, 3), keepdims: int(1) }],
    ['an attribute, backwards', ['x'], { axes: ints(3, 2) }],
    ['an input', ['x', 'sides'], {}],
    ['an input, from the end', ['x', 'backwards'], {}],
  ])(`over height and width is a ${pool}: axes as %s`, (_, inputs, attributes) => {
    const graph = canonicalise(toNode(opType, inputs, 'y', attributes));
    expect(toLines(graph)).toEqual([`y = ${pool}(x)`]);
    expect(graph.nodes[0]!.attributes.size).toBe(0);
  });

  test('that drops its axes is followed by a Flatten', () => {
    const node = toNode(opType, ['x'], 'y', { axes: ints(2, 3), keepdims: int(0) });
    const graph = canonicalise(node, toNode('Relu', ['y'], 'z'));
    expect(toLines(graph)).toEqual([`y_pooled = ${pool}(x)`, 'y = Flatten(y_pooled)', 'z = Relu(y)']);
    expect(graph.nodes[1]).toMatchObject({
      name: 'node_y_flatten',
      domain: '',
      attributes: new Map([['axis', int(1)]]),
    });
  });

  test('without a name gives the Flatten that of its result', () => {
    const node = { ...toNode(opType, ['x'], 'y', { axes: ints(2, 3), keepdims: int(0) }), name: '' };
    expect(canonicalise(node).nodes[1]!.name).toBe('y_flatten');
  });

  test.each([[[1]], [[2]], [[1, 2, 3]], [[-3, 3]]])('over axes %s is refused', (axes) => {
    expect(() => canonicalise(toNode(opType, ['x'], 'y', { axes: ints(...axes) }))).toThrow(
      `node 'node_y' (${opType}): only a reduction over height and width is a pooling`,
    );
  });

  test('of what is no feature map is refused', () => {
    const flat = toNode('Flatten', ['x'], 'f');
    const node = toNode(opType, ['f'], 'y', { axes: ints(-2, -1) });
    expect(() => canonicalise(flat, node)).toThrow('only a reduction over height and width is a pooling');
  });
});

describe.each([
  ['AveragePool', 'GlobalAveragePool'],
  ['MaxPool', 'GlobalMaxPool'],
])('%s', (opType, pool) => {
  test(`of everything is a ${pool}`, () => {
    const node = toNode(opType, ['x'], 'y', { kernel_shape: ints(4, 3), pads: ints(0, 0, 0, 0) });
    node.outputs.push('indices');
    const graph = canonicalise(node);
    expect(toLines(graph)).toEqual([`y = ${pool}(x)`]);
    expect(graph.nodes[0]!.attributes.size).toBe(0);
  });

  test.each([
    { kernel: [3, 3], pads: [0, 0, 0, 0] },
    { kernel: [4, 2], pads: [0, 0, 0, 0] },
    { kernel: [4, 3], pads: [0, 0, 1, 0] },
  ])('of windows $kernel with pads $pads stays', ({ kernel, pads }) => {
    const attributes = { kernel_shape: ints(...kernel), pads: ints(...pads) };
    const { nodes } = canonicalise(toNode(opType, ['x'], 'y', attributes));
    expect(nodes[0]).toEqual(toNode(opType, ['x'], 'y', attributes));
  });
});

describe('dropping the two sizes', () => {
  const pooled = toNode('GlobalAveragePool', ['x'], 'p');
  test.each<[string, OnnxNode]>([
    ['Reshape', toNode('Reshape', ['p', 'flat'], 'y', { allowzero: int(0) })],
    ['Squeeze', toNode('Squeeze', ['p', 'sides'], 'y')],
    ['Squeeze by an attribute', toNode('Squeeze', ['p'], 'y', { axes: ints(2, 3) })],
    ['Flatten from the end', toNode('Flatten', ['p'], 'y', { axis: int(-3) })],
  ])('by %s is a Flatten', (_, node) => {
    const graph = canonicalise(structuredClone(pooled), structuredClone(node));
    expect(toLines(graph)).toEqual(['p = GlobalAveragePool(x)', 'y = Flatten(p)']);
    expect(graph.nodes[1]!.attributes).toEqual(new Map([['axis', int(1)]]));
  });

  test('once more changes nothing and goes', () => {
    const again = [toNode('Flatten', ['p'], 'f'), toNode('Reshape', ['f', 'flat'], 'y')];
    expect(toLines(canonicalise(structuredClone(pooled), ...again))).toEqual([
      'p = GlobalAveragePool(x)',
      'y = Flatten(p)',
    ]);
  });

  test('a reshape that keeps three is refused', () => {
    expect(() => canonicalise(toNode('Reshape', ['x', 'halves'], 'y'))).toThrow(
      "node 'node_y' (Reshape): turns [batch,5,4,3] into [batch,2,30], which is no flattening",
    );
  });
});
