import { describe, expect, test } from 'vitest';
import type { AttributeValue, OnnxGraph, OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import { int64Tensor } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import { makePaddingExplicit } from '../../../../src/toolchain/quantize/normalise/explicit-padding.ts';
import { float, floats, int, ints, string, toGraph, toLines, toNode, toShapes } from './small-graph.ts';

type Attributes = Record<string, AttributeValue>;
const constants = {
  w: floats([1, 1, 3, 3], ...new Array<number>(9).fill(1)),
  pads: int64Tensor([0, 0, 1, 2, 0, 0, 3, 4]),
  zero: floats([], 0),
  one: floats([], 1),
};

/** On images of 1 x 8 x 8. */
function rewrite(nodes: OnnxNode[]): OnnxGraph {
  const graph = toGraph(nodes, constants);
  makePaddingExplicit(graph, toShapes(graph, 1, 8, 8));
  return graph;
}
const attributesOf = ({ nodes }: OnnxGraph, output: string) => {
  const { attributes } = nodes.find(({ outputs }) => outputs[0] === output)!;
  return Object.fromEntries([...attributes].map(([name, { value }]) => [name, value]));
};
const pool = (opType: string, attributes: Attributes) => {
  const graph = rewrite([toNode(opType, ['x'], 'y', { kernel_shape: ints(3, 3), ...attributes })]);
  return attributesOf(graph, 'y');
};

describe('a convolution', () => {
  test('has its defaults written out', () => {
    expect(attributesOf(rewrite([toNode('Conv', ['x', 'w'], 'y')]), 'y')).toEqual({
      dilations: [1, 1],
      group: 1,
      kernel_shape: [3, 3],
      pads: [0, 0, 0, 0],
      strides: [1, 1],
    });
  });

  test('keeps what it declares, and loses what has no meaning', () => {
    const declared = { dilations: ints(2, 1), group: int(1), pads: ints(1, 2, 3, 4), strides: ints(2, 1) };
    const graph = rewrite([toNode('Conv', ['x', 'w'], 'y', { ...declared, unknown: int(1) })]);
    expect(attributesOf(graph, 'y')).toEqual({
      dilations: [2, 1],
      group: 1,
      kernel_shape: [3, 3],
      pads: [1, 2, 3, 4],
      strides: [2, 1],
    });
  });

  test('keeps its groups', () => {
    const graph = toGraph([toNode('Conv', ['x', 'v'], 'y', { group: int(2) })], {
      v: floats([2, 1, 1, 1], 1, 1),
    });
    makePaddingExplicit(graph, toShapes(graph, 2, 8, 8));
    expect(attributesOf(graph, 'y').group).toBe(2);
  });

  // 8 wide, every second: a window of 3 needs 1 more than there is.
  test.each([
    ['SAME_UPPER', [0, 0, 1, 1]],
    ['SAME_LOWER', [1, 1, 0, 0]],
    ['VALID', [0, 0, 0, 0]],
  ])('has auto_pad %s as pads', (autoPad, pads) => {
    const attributes = { auto_pad: string(autoPad), strides: ints(2, 2) };
    expect(attributesOf(rewrite([toNode('Conv', ['x', 'w'], 'y', attributes)]), 'y').pads).toEqual(pads);
  });
});

describe('a pool', () => {
  test.each(['MaxPool', 'AveragePool'])('%s has kernel, pads and strides, and nothing else', (opType) => {
    const extra = {
      pads: ints(1, 0, 0, 1),
      strides: ints(1, 2),
      storage_order: int(0),
      count_include_pad: int(0),
    };
    expect(pool(opType, extra)).toEqual({ kernel_shape: [3, 3], pads: [1, 0, 0, 1], strides: [1, 2] });
  });

  // Of 8 with 3 every 2: windows from 0, 2, 4, and by the ceiling from 6, which reaches to 9.
  test.each([
    { ceilMode: 0, given: [0, 0, 0, 0], pads: [0, 0, 0, 0] },
    { ceilMode: 1, given: [0, 0, 0, 0], pads: [0, 0, 1, 1] },
    { ceilMode: 1, given: [1, 0, 0, 0], pads: [1, 0, 0, 1] },
    { ceilMode: 1, given: [0, 1, 2, 0], pads: [0, 1, 2, 0] },
  ])('with ceil_mode $ceilMode and pads $given has pads $pads', ({ ceilMode, given, pads }) => {
    const attributes = { ceil_mode: int(ceilMode), pads: ints(...given), strides: ints(2, 2) };
    expect(pool('MaxPool', attributes).pads).toEqual(pads);
  });

  test('may count padding that there is not', () => {
    expect(pool('AveragePool', { count_include_pad: int(1) }).pads).toEqual([0, 0, 0, 0]);
  });

  test('may declare indices that nobody reads', () => {
    const node = toNode('MaxPool', ['x'], 'y', { kernel_shape: ints(3, 3) });
    node.outputs.push('indices');
    expect(rewrite([node]).nodes[0]!.outputs).toEqual(['y']);
  });

  test('whose indices are read is refused', () => {
    const node = toNode('MaxPool', ['x'], 'y', { kernel_shape: ints(3, 3) });
    node.outputs.push('indices');
    expect(() => rewrite([node, toNode('Relu', ['indices'], 'z')])).toThrow(
      "node 'node_y' (MaxPool): its indices are used",
    );
  });

  test.each([
    ['dilations', { dilations: ints(1, 2) }, 'dilated pooling has no integer kernel'],
    [
      'padding in its average',
      { count_include_pad: int(1), pads: ints(0, 0, 0, 1) },
      'averages its padding too (count_include_pad), which no ResNet does',
    ],
  ])('with %s is refused', (_, attributes, reason) => {
    expect(() => pool('AveragePool', attributes as Attributes)).toThrow(`(AveragePool): ${reason}`);
  });
});

describe('a Pad', () => {
  const conv = (input: string, attributes: Attributes = {}) => toNode('Conv', [input, 'w'], 'y', attributes);
  const maxPool = (input: string, attributes: Attributes = {}) =>
    toNode('MaxPool', [input], 'y', { kernel_shape: ints(5, 5), ...attributes });
  const asAttribute = { pads: ints(0, 0, 1, 2, 0, 0, 3, 4) };

  test.each([
    { spelling: 'an attribute', inputs: ['x'], attributes: asAttribute },
    { spelling: 'an input', inputs: ['x', 'pads'], attributes: { mode: string('constant') } },
    { spelling: 'an input beside its value', inputs: ['x', 'pads', 'zero'], attributes: {} },
    {
      spelling: 'an attribute beside its value',
      inputs: ['x'],
      attributes: { ...asAttribute, value: float(0) },
    },
  ])('goes into the convolution behind it: $spelling', ({ inputs, attributes }) => {
    const pad = toNode('Pad', inputs, 'p', attributes as Attributes);
    const graph = rewrite([pad, conv('p', { pads: ints(10, 20, 30, 40) })]);
    expect(toLines(graph)).toEqual(['y = Conv(x,w)']);
    expect(attributesOf(graph, 'y').pads).toEqual([11, 22, 33, 44]);
  });

  test('goes into the pool behind it where a ReLU stands before it: its zeros win nothing', () => {
    const pad = toNode('Pad', ['r'], 'p', asAttribute);
    const graph = rewrite([toNode('Relu', ['x'], 'r'), pad, maxPool('p', { pads: ints(1, 0, 0, 0) })]);
    expect(toLines(graph)).toEqual(['r = Relu(x)', 'y = MaxPool(r)']);
    expect(attributesOf(graph, 'y').pads).toEqual([2, 2, 3, 4]);
  });

  test.each([
    { kernel: [4, 5], stays: true },
    { kernel: [5, 4], stays: true },
    { kernel: [5, 5], stays: false },
  ])('stays there if windows of $kernel would lie in it alone: $stays', ({ kernel, stays }) => {
    const pad = toNode('Pad', ['r'], 'p', { pads: ints(0, 0, 0, 4, 0, 0, 4, 0) });
    const pool = maxPool('p', { kernel_shape: ints(...kernel) });
    const { nodes } = rewrite([toNode('Relu', ['x'], 'r'), pad, pool]);
    expect(nodes.some(({ opType }) => opType === 'Pad')).toBe(stays);
  });

  test('stays before a pool of what may be negative, its amounts an input', () => {
    const graph = rewrite([toNode('Pad', ['x'], 'p', asAttribute), maxPool('p')]);
    expect(toLines(graph)).toEqual(['p = Pad(x,p_pads)', 'y = MaxPool(p)']);
    expect(graph.nodes[0]!.attributes.size).toBe(0);
    expect(graph.initializers.get('p_pads')).toEqual(int64Tensor([0, 0, 1, 2, 0, 0, 3, 4]));
  });

  test('of nothing goes, whatever reads it', () => {
    const pad = toNode('Pad', ['x'], 'p', { pads: ints(0, 0, 0, 0, 0, 0, 0, 0), mode: string('edge') });
    expect(toLines(rewrite([pad, toNode('Relu', ['p'], 'y')]))).toEqual(['y = Relu(x)']);
  });

  const refusal = 'only zeros around height and width, before one Conv or MaxPool, are run in integers';
  test.each<[string, string[], Attributes]>([
    ['of channels', ['x'], { pads: ints(0, 1, 0, 0, 0, 0, 0, 0) }],
    ['that crops', ['x'], { pads: ints(0, 0, 1, -1, 0, 0, 0, 0) }],
    ['of ones', ['x', 'pads', 'one'], {}],
    ['of ones by an attribute', ['x'], { ...asAttribute, value: float(1) }],
    ['of a computed value', ['x', 'pads', 'computed'], {}],
    ['along given axes', ['x', 'pads', 'zero', 'axes'], {}],
    ['that reflects', ['x', 'pads'], { mode: string('reflect') }],
  ])('%s is refused', (_, inputs, attributes) => {
    const pad = toNode('Pad', inputs, 'p', attributes);
    expect(() => rewrite([pad, maxPool('p')])).toThrow(`node 'node_p' (Pad): ${refusal}`);
  });

  test('before an average is refused, also behind a ReLU', () => {
    const pad = toNode('Pad', ['r'], 'p', asAttribute);
    const average = toNode('AveragePool', ['p'], 'y', { kernel_shape: ints(5, 5) });
    expect(() => rewrite([toNode('Relu', ['x'], 'r'), pad, average])).toThrow(refusal);
  });

  test.each([
    ['another operator', [toNode('Relu', ['p'], 'y')]],
    ['two readers', [conv('p'), toNode('Relu', ['p'], 'z')]],
    ['a pool that pads too, of what may be negative', [maxPool('p', { pads: ints(0, 0, 0, 1) })]],
  ])('before %s is refused', (_, readers) => {
    expect(() => rewrite([toNode('Pad', ['x'], 'p', asAttribute), ...structuredClone(readers)])).toThrow(
      refusal,
    );
  });
});
