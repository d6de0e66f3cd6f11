import { describe, expect, test } from 'vitest';
import type { DeclaredDimension, OnnxGraph, OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import { int64Tensor } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import { normaliseGraph } from '../../../../src/toolchain/quantize/normalise/normalise-graph.ts';
import { float, floats, int, toGraph, toLines, toNode, vector } from './small-graph.ts';

/** The smallest ResNet: a convolution of two channels to two, a residual connection, a classifier of three classes. */
function smallest(input?: readonly DeclaredDimension[]): OnnxGraph {
  const graph = toGraph(
    [
      toNode('Conv', ['x', 'w'], 'c'),
      toNode('Relu', ['c'], 'r'),
      toNode('Add', ['r', 'c2'], 'a'),
      toNode('GlobalAveragePool', ['a'], 'p'),
      toNode('Flatten', ['p'], 'f'),
      toNode('Gemm', ['f', 'v', 'b'], 'y', { transB: int(1) }),
    ],
    {
      w: floats([2, 2, 1, 1], 1, 2, 3, 4),
      v: floats([3, 2], 1, 2, 3, 4, 5, 6),
      b: vector(1, 2, 3),
      unused: vector(1),
    },
  );
  graph.nodes.splice(2, 0, toNode('Conv', ['r', 'w'], 'c2'));
  graph.inputs[0] = { ...graph.inputs[0]!, shape: input };
  return graph;
}

function normalise(graph: OnnxGraph, elements = 2 * 6 * 6, opsets = new Map([['', 13]])) {
  return normaliseGraph({ irVersion: 7, producerName: '', opsets, graph }, elements);
}
const nodeOf = ({ nodes }: OnnxGraph, output: string) => nodes.find(({ outputs }) => outputs[0] === output)!;

test('a usual ResNet has a free batch, no notes, and no constants that nobody reads', () => {
  const { graph, head, imageShape, classes, notes } = normalise(smallest(['N', 2, 6, 6]));
  expect([imageShape, classes, notes, head.size]).toEqual([[2, 6, 6], 3, [], 0]);
  expect(graph.inputs).toEqual([{ name: 'x', elementType: 1, shape: ['N', 2, 6, 6] }]);
  expect(graph.outputs).toEqual([{ name: 'y', elementType: 1, shape: ['N', 3] }]);
  expect([...graph.initializers.keys()]).toEqual(['w', 'v', 'b']);
});

describe('the size of images', () => {
  test.each<[string, DeclaredDimension[] | undefined, number, number[]]>([
    ['as declared', ['N', 2, 4, 9], 72, [2, 4, 9]],
    ['square where its sides are free', ['N', 2, 'h', 'w'], 72, [2, 6, 6]],
    ['with the channels of the first convolution where those are free', ['N', 'c', 4, 9], 72, [2, 4, 9]],
    ['from the convolution where nothing is declared', undefined, 50, [2, 5, 5]],
    ['with one free side', [1, 2, 6, ''], 72, [2, 6, 6]],
  ])('is %s', (_, declared, elements, imageShape) => {
    expect(normalise(smallest(declared), elements).imageShape).toEqual(imageShape);
  });

  test.each<[DeclaredDimension[] | undefined, number, string]>([
    [['N', 2, 6, 6], 71, 'takes images of [2, 6, 6], the calibration image has 71 elements'],
    [undefined, 70, 'takes images of [2, 6, 6], the calibration image has 70 elements'],
    [['N', 72], 72, 'the input must be [batch, channels, height, width], is [N,72]'],
  ])('that is %s is refused for images of %i values', (declared, elements, message) => {
    expect(() => normalise(smallest(declared), elements)).toThrow(message);
  });

  test('is that of all groups where the first convolution has several', () => {
    const graph = smallest(['N', 2, 6, 6]);
    graph.initializers.set('g', floats([2, 1, 1, 1], 1, 1));
    Object.assign(nodeOf(graph, 'c'), { inputs: ['x', 'g'], attributes: new Map([['group', int(2)]]) });
    expect(normalise(graph).imageShape).toEqual([2, 6, 6]);
  });

  test('is not known without a convolution', () => {
    const graph = toGraph([toNode('Relu', ['x'], 'y')]);
    expect(() => normalise(graph)).toThrow('the number of input channels is not known');
  });
});

describe('operator sets', () => {
  test('from 7 on are read', () => {
    expect(normalise(smallest(), 72, new Map([['', 7]])).classes).toBe(3);
  });

  test.each([
    { set: '6', opsets: new Map([['', 6]]), named: 6 },
    { set: 'none', opsets: new Map([['ai.onnx.ml', 13]]), named: 0 },
  ])('$set is refused', ({ opsets, named }) => {
    expect(() => normalise(smallest(), 72, opsets)).toThrow(
      `the model has opset ${named}; export it with 7 or later`,
    );
  });

  test('of other domains are refused', () => {
    const graph = smallest();
    nodeOf(graph, 'r').domain = 'com.microsoft';
    expect(() => normalise(graph)).toThrow("node 'node_r' (Relu): is of operator domain 'com.microsoft'");
  });

  test.each(['QuantizeLinear', 'DequantizeLinear'])('that quantize already (%s) are refused', (opType) => {
    const graph = smallest();
    nodeOf(graph, 'r').opType = opType;
    expect(() => normalise(graph)).toThrow(`node 'node_r' (${opType}): the model is quantized already`);
  });
});

describe('a Sum', () => {
  const sum = (...inputs: string[]) => {
    const graph = smallest();
    Object.assign(nodeOf(graph, 'a'), { opType: 'Sum', inputs });
    return graph;
  };

  test('of two is a residual connection', () => {
    expect(nodeOf(normalise(sum('r', 'c2')).graph, 'a').opType).toBe('Add');
  });

  test.each([[['r']], [['r', 'c2', 'r']]])('of %s is refused', (inputs) => {
    expect(() => normalise(sum(...inputs))).toThrow("node 'node_a' (Sum): not an operator of a ResNet");
  });
});

test.each([
  [2, 1],
  [1, 2],
  [1, 0],
  [0, 1],
  [2, 0],
  [0, 2],
])('a model of %i inputs and %i outputs is refused', (inputs, outputs) => {
  const graph = smallest(['N', 2, 6, 6]);
  graph.inputs = new Array(inputs).fill(graph.inputs[0]!);
  graph.outputs = new Array(outputs).fill(graph.outputs[0]!);
  expect(() => normalise(graph)).toThrow(
    `the model must have one input and one output, has ${inputs} and ${outputs}`,
  );
});

test('nodes without a name have that of their operator and result', () => {
  const graph = smallest();
  nodeOf(graph, 'c').name = '';
  const names = normalise(graph).graph.nodes.map(({ name }) => name);
  expect(names.slice(0, 2)).toEqual(['Conv_c', 'node_r']);
});

test('a batch that a reshape spells out becomes free', () => {
  const graph = smallest([4, 2, 6, 6]);
  graph.initializers.set('shape', int64Tensor([4, 2]));
  Object.assign(nodeOf(graph, 'f'), {
    opType: 'Reshape',
    inputs: ['p', 'shape'],
  } satisfies Partial<OnnxNode>);
  const { graph: normalised } = normalise(graph);
  expect(toLines(normalised)).toContain('f = Flatten(p)');
  expect(normalised.outputs[0]!.shape).toEqual(['N', 3]);
});

test('what is dropped, and a head that stays in floats, are noted', () => {
  const graph = smallest();
  graph.initializers.set('u', floats([3, 3], 1, 2, 3, 4, 5, 6, 7, 8, 9));
  graph.nodes.push(toNode('Gemm', ['y', 'u'], 'z'), toNode('Softmax', ['z'], 'probabilities'));
  graph.outputs[0] = { ...graph.outputs[0]!, name: 'probabilities' };
  const { head, notes, classes } = normalise(graph);
  expect(classes).toBe(3);
  expect(head.size).toBe(4);
  expect(notes).toEqual([
    "dropped the final Softmax 'node_probabilities': the output is logits now",
    'the head behind the pooled features (4 nodes) stays in floats',
  ]);
});

describe('other spellings become what the quantizer knows', () => {
  const usual = [
    'c = Conv(x,w)',
    'r = Relu(c)',
    'c2 = Conv(r,w)',
    'a = Add(r,c2)',
    'p = GlobalAveragePool(a)',
    'f = Flatten(p)',
    'y = Gemm(f,v,b)',
  ];

  test('an affine step, a Pad and a MatMul', () => {
    const graph = smallest();
    graph.initializers
      .set('s', floats([2, 1, 1], 1, 2))
      .set('vt', floats([2, 3], 1, 2, 3, 4, 5, 6))
      .set('pads', int64Tensor([0, 0, 1, 1, 0, 0, 1, 1]));
    Object.assign(nodeOf(graph, 'c'), { inputs: ['padded', 'w'], outputs: ['raw'] });
    graph.nodes.splice(1, 0, toNode('Mul', ['raw', 's'], 'c'));
    graph.nodes.unshift(toNode('Pad', ['x', 'pads'], 'padded'));
    Object.assign(nodeOf(graph, 'y'), { opType: 'MatMul', inputs: ['f', 'vt'], attributes: new Map() });
    const folded = usual.with(0, 'c = Conv(x,w_folded,w_bias_folded)').with(6, 'y = Gemm(f,vt,y_bias)');
    expect(toLines(normalise(graph).graph)).toEqual(folded);
  });

  test('constants that are nodes, in half precision', () => {
    const graph = smallest();
    graph.initializers.delete('v');
    // 1.0 in half precision: sign 0, exponent 15, fraction 0.
    const value = { datatype: 'FP16', shape: [3, 2], data: new Uint16Array(6).fill(0x3c00) } as const;
    graph.nodes.unshift(toNode('Constant', [], 'v', { value: { type: 'TENSOR', value } }));
    const { graph: normalised } = normalise(graph);
    expect(toLines(normalised)).toEqual(usual);
    expect(normalised.initializers.get('v')).toEqual(floats([3, 2], 1, 1, 1, 1, 1, 1));
  });

  test('a Clip without an upper end', () => {
    const graph = smallest();
    Object.assign(nodeOf(graph, 'r'), { opType: 'Clip', attributes: new Map([['min', float(0)]]) });
    expect(toLines(normalise(graph).graph)).toEqual(usual);
  });

  test('a convolution of pooled features', () => {
    const graph = smallest();
    graph.initializers.set('v', floats([3, 2, 1, 1], 1, 2, 3, 4, 5, 6));
    Object.assign(nodeOf(graph, 'y'), {
      opType: 'Conv',
      inputs: ['p', 'v', 'b'],
      outputs: ['z'],
      attributes: new Map(),
    });
    Object.assign(nodeOf(graph, 'f'), { inputs: ['z'], outputs: ['y'] });
    graph.nodes.push(graph.nodes.splice(5, 1)[0]!);
    const last = ['y_features = Flatten(p)', 'y = Gemm(y_features,v_matrix,b)'];
    expect(toLines(normalise(graph).graph)).toEqual([...usual.slice(0, 5), ...last]);
  });

  test('a BatchNormalization of pooled features', () => {
    const graph = smallest();
    graph.initializers.set('one', vector(1, 1)).set('zero', vector(0, 0));
    nodeOf(graph, 'y').inputs[0] = 'n';
    graph.nodes.splice(6, 0, toNode('BatchNormalization', ['f', 'one', 'zero', 'zero', 'one'], 'n'));
    const { graph: normalised, head } = normalise(graph);
    expect(toLines(normalised)).toEqual(usual.with(6, 'y = Gemm(f,v_folded,b_folded)'));
    expect(head.size).toBe(0);
  });

  test('a shape that is computed, of which nothing is left', () => {
    const graph = smallest();
    graph.initializers.set('first', int64Tensor([0])).set('rest', int64Tensor([-1]));
    Object.assign(nodeOf(graph, 'f'), { opType: 'Reshape', inputs: ['p', 'target'] });
    graph.nodes.splice(
      5,
      0,
      toNode('Shape', ['p'], 'shape'),
      toNode('Gather', ['shape', 'first'], 'size'),
      toNode('Concat', ['size', 'rest'], 'target', { axis: int(0) }),
    );
    const { graph: normalised } = normalise(graph);
    expect(toLines(normalised)).toEqual(usual);
    expect([...normalised.initializers.keys()]).toEqual(['w', 'v', 'b']);
  });
});
