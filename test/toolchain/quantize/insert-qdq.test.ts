import { expect, test } from 'vitest';
import type { OnnxGraph, OnnxNode } from '../../../src/toolchain/onnx/onnx-graph.ts';
import { insertQdq } from '../../../src/toolchain/quantize/insert-qdq.ts';
import { floats, int, ints, toGraph, toLines, toNode, valuesOf, vector } from './normalise/small-graph.ts';

const constants = {
  // Channels whose largest weights are 127 and 254: scales of 1 and 2.
  w: floats([2, 2, 1, 1], 127, 64, 254, -20),
  b: vector(3, -4),
  v: floats([1, 2], 127, -5),
  low: floats([], 0),
  high: floats([], 6),
};
const parameters = new Map(
  ['x', 'r', 'k', 'p'].map((name, i) => [name, { scale: 2 ** -(i + 1), zeroPoint: 10 * (i + 1) }]),
);
const quant = (name: string, source = name) => `${name}_Q = QuantizeLinear(${source},${name}_s,${name}_z)`;
const dequant = (name: string) => `${name}_DQ = DequantizeLinear(${name}_Q,${name}_s,${name}_z)`;
const around = (name: string, source = name) => [quant(name, source), dequant(name)];
/** Scale and zero point of an activation. */
const chosen = (graph: OnnxGraph, name: string) => [
  ...valuesOf(graph, `${name}_s`),
  graph.initializers.get(`${name}_z`),
];
const zeroPoint = (value: number) => ({ datatype: 'UINT8', shape: [], data: Uint8Array.of(value) });

test('a residual network of integers', () => {
  const nodes = [
    toNode('Conv', ['x', 'w', 'b'], 'c', { group: int(1) }),
    toNode('Relu', ['c'], 'r'),
    toNode('MaxPool', ['r'], 'm', { kernel_shape: ints(1, 1) }),
    toNode('Conv', ['m', 'w'], 'd'),
    toNode('Add', ['d', 'm'], 'a'),
    toNode('Clip', ['a', 'low', 'high'], 'k'),
    toNode('GlobalAveragePool', ['k'], 'p'),
    toNode('Flatten', ['p'], 'f'),
    toNode('Gemm', ['f', 'v'], 'y', { transB: int(1) }),
  ];
  const source = toGraph(structuredClone(nodes), constants);
  const graph = insertQdq(source, new Map([...parameters, ['d', { scale: 0.5, zeroPoint: 7 }]]));
  expect(toLines(graph)).toEqual([
    ...around('x'),
    dequant('w'),
    dequant('b'),
    'c = Conv(x_DQ,w_DQ,b_DQ)',
    // The ReLU is the range of what is quantized.
    ...around('r', 'c'),
    'm = MaxPool(r_DQ)',
    ...around('m'),
    // The same weights once more: the scale of their bias is another.
    dequant('node_d_weight'),
    dequant('node_d_bias'),
    'd = Conv(m_DQ,node_d_weight_DQ,node_d_bias_DQ)',
    ...around('d'),
    'a = Add(d_DQ,m_DQ)',
    ...around('k', 'a'),
    'p = GlobalAveragePool(k_DQ)',
    ...around('p'),
    'f = Flatten(p_DQ)',
    ...around('f'),
    dequant('v'),
    dequant('node_y_bias'),
    'y = Gemm(f_DQ,v_DQ,node_y_bias_DQ)',
  ]);
  expect(chosen(graph, 'x')).toEqual([0.5, zeroPoint(10)]);
  expect(chosen(graph, 'r')).toEqual([0.25, zeroPoint(20)]);
  // Maxima and what is flattened keep the scale of their input.
  expect(chosen(graph, 'm')).toEqual([0.25, zeroPoint(20)]);
  expect(chosen(graph, 'k')).toEqual([0.125, zeroPoint(30)]);
  expect(chosen(graph, 'f')).toEqual(chosen(graph, 'p'));
  expect(source).toEqual(toGraph(nodes, constants));
  expect(graph.nodes.find(({ outputs }) => outputs[0] === 'c')!.attributes).toEqual(
    new Map([['group', int(1)]]),
  );
});

test('weights and biases are constants with a scale for each channel, along axis 0', () => {
  const { nodes, initializers } = insertQdq(
    toGraph([toNode('Conv', ['x', 'w', 'b'], 'r')], constants),
    parameters,
  );
  const read = (name: string) => initializers.get(name);
  expect(read('w_Q')).toEqual({
    datatype: 'INT8',
    shape: [2, 2, 1, 1],
    data: Int8Array.of(127, 64, 127, -10),
  });
  expect(read('w_s')).toEqual(vector(1, 2));
  expect(read('w_z')).toEqual({ datatype: 'INT8', shape: [2], data: Int8Array.of(0, 0) });
  // The scale of the input is 0.5: a bias counts in 0.5 * 1 and 0.5 * 2.
  expect(read('b_Q')).toEqual({ datatype: 'INT32', shape: [2], data: Int32Array.of(6, -4) });
  expect(read('b_s')).toEqual(vector(0.5, 1));
  expect(read('b_z')).toEqual({ datatype: 'INT32', shape: [2], data: Int32Array.of(0, 0) });
  const [activation, , weights, biases] = nodes as [OnnxNode, OnnxNode, OnnxNode, OnnxNode];
  expect(activation).toMatchObject({ name: 'x_Quant', domain: '', attributes: new Map() });
  for (const node of [weights, biases]) expect(node.attributes).toEqual(new Map([['axis', int(0)]]));
  expect(weights.name).toBe('w_Dequant');
});

test('a bias that two layers share is written for each, and a layer without one has zeros', () => {
  const graph = insertQdq(
    toGraph(
      [
        toNode('Conv', ['x', 'w', 'b'], 'r'),
        toNode('Conv', ['r', 'u', 'b'], 'k'),
        toNode('Conv', ['k', 't', ''], 'p'),
      ],
      { ...constants, u: floats([2, 2, 1, 1], 127, 0, 127, 0), t: floats([2, 2, 1, 1], 127, 0, 127, 0) },
    ),
    parameters,
  );
  expect(toLines(graph)).toContain('k = Conv(r_DQ,u_DQ,node_k_bias_DQ)');
  // In units of 0.25 * 1.
  expect(graph.initializers.get('node_k_bias_Q')!.data).toEqual(Int32Array.of(12, -16));
  expect(graph.initializers.get('node_p_bias_Q')!.data).toEqual(Int32Array.of(0, 0));
});

test('a Pad keeps the scale of its input, and its amounts', () => {
  const pads = { datatype: 'INT64', shape: [8], data: new BigInt64Array(8) } as const;
  const pad = toNode('Pad', ['x', 'amounts'], 'd');
  const graph = insertQdq(toGraph([pad], { amounts: pads }), parameters);
  expect(toLines(graph)).toEqual([...around('x'), 'd = Pad(x_DQ,amounts)', ...around('d')]);
  expect(chosen(graph, 'd')).toEqual([0.5, zeroPoint(10)]);
  expect(graph.initializers.get('amounts')).toBe(pads);
});

test('a head in floats reads what is dequantized, constants as they are, and its own results', () => {
  const pool = toNode('GlobalAveragePool', ['r'], 'q');
  const layer = toNode('Gemm', ['q', 'v'], 'y');
  const graph = insertQdq(
    toGraph([toNode('Conv', ['x', 'w'], 'r'), pool, layer], constants),
    parameters,
    new Set([pool, layer]),
  );
  expect(toLines(graph).slice(-2)).toEqual(['q = GlobalAveragePool(r_DQ)', 'y = Gemm(q,v)']);
  expect(graph.initializers.get('v')).toBe(constants.v);
});

test.each([
  ['x', [], []],
  ['k', [toNode('Conv', ['x', 'w'], 'a'), toNode('Relu', ['a'], 'k')], ['x', 'a']],
  ['q', [toNode('AveragePool', ['x'], 'q')], ['x']],
])("an activation whose range nobody saw is named: '%s'", (name, nodes, known) => {
  const graph = toGraph([...nodes, toNode('Flatten', ['x'], 'f')], constants);
  const some = new Map(known.map((each) => [each, { scale: 1, zeroPoint: 0 }]));
  expect(() => insertQdq(graph, some)).toThrow(`no quantization parameters for '${name}'`);
});
