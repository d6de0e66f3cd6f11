import { describe, expect, test } from 'vitest';
import type { OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import { assertIntegerBody } from '../../../../src/toolchain/quantize/normalise/assert-integer-body.ts';
import { floats, ints, toGraph, toNode, toShapes, vector } from './small-graph.ts';

const constants = {
  w: floats([2, 2, 1, 1], 1, 2, 3, 4),
  b: vector(5, 6),
  v: floats([2, 2], 1, 2, 3, 4),
  map: floats([1, 2, 2, 2], 1, 2, 3, 4, 5, 6, 7, 8),
};

function check(nodes: OnnxNode[], head: readonly OnnxNode[] = []): void {
  const graph = toGraph(nodes, constants);
  assertIntegerBody(graph, toShapes(graph, 2, 2, 2), new Set(head));
}
const conv = (inputs: string[], output: string) => toNode('Conv', inputs, output);
const classifier = (input: string) => [
  toNode('GlobalAveragePool', [input], 'pooled'),
  toNode('Flatten', ['pooled'], 'flat'),
  toNode('Gemm', ['flat', 'v', 'b'], 'y'),
];

test('a ResNet is taken', () => {
  check([
    conv(['x', 'w'], 'c1'),
    toNode('Relu', ['c1'], 'r1'),
    toNode('Pad', ['r1'], 'p', { pads: ints(0, 0, 1, 1, 0, 0, 1, 1) }),
    toNode('MaxPool', ['p'], 'm', { kernel_shape: ints(3, 3) }),
    conv(['m', 'w', 'b'], 'c2'),
    toNode('Clip', ['c2'], 'r2'),
    conv(['r2', 'w', ''], 'c3'),
    toNode('Add', ['c3', 'm'], 'a'),
    toNode('Relu', ['a'], 'r3'),
    toNode('AveragePool', ['r3'], 'n', { kernel_shape: ints(1, 1) }),
    ...classifier('n'),
  ]);
});

test('whatever stands in the head is taken', () => {
  const head = [toNode('GlobalAveragePool', ['x'], 'p'), toNode('Tanh', ['p'], 'y')];
  check(head, head);
});

describe('is refused', () => {
  const cannotMerge = 'must be the only reader of a Conv or Add, to merge with it';
  test.each<[string, OnnxNode[], string]>([
    [
      'computed weights',
      [conv(['x', 'x'], 'c')],
      "node 'node_c' (Conv): its weights and bias must be constants",
    ],
    ['a computed bias', [conv(['x', 'w', 'x'], 'c')], 'its weights and bias must be constants'],
    ['a ReLU of the input', [toNode('Relu', ['x'], 'r')], `node 'node_r' (Relu): ${cannotMerge}`],
    ['a Clip of the input', [toNode('Clip', ['x'], 'r')], `node 'node_r' (Clip): ${cannotMerge}`],
    [
      'a ReLU behind a pool',
      [toNode('MaxPool', ['x'], 'm', { kernel_shape: ints(1, 1) }), toNode('Relu', ['m'], 'r')],
      cannotMerge,
    ],
    [
      'a ReLU whose source others read',
      [conv(['x', 'w'], 'c'), toNode('Relu', ['c'], 'r'), toNode('Add', ['c', 'r'], 'a')],
      cannotMerge,
    ],
    [
      'an Add that broadcasts',
      [toNode('GlobalAveragePool', ['x'], 'p'), toNode('Add', ['x', 'p'], 'a')],
      "node 'node_a' (Add): adds [batch,2,2,2] and [batch,2,1,1], which is no residual connection",
    ],
    [
      'an operator of no ResNet',
      [toNode('Tanh', ['x'], 't')],
      "node 'node_t' (Tanh): not an operator of a ResNet classifier",
    ],
    [
      'a layer before the classifier',
      [...classifier('x').with(2, toNode('Gemm', ['flat', 'v'], 'l')), toNode('Gemm', ['l', 'v'], 'y')],
      "node 'node_l' (Gemm): the classifier must make the output of the model",
    ],
    [
      'a network without a classifier',
      [conv(['x', 'w'], 'c')],
      "node 'node_c' (Conv): the output 'c' must come from a Gemm or MatMul classifier",
    ],
  ])('%s', (_, nodes, message) => {
    expect(() => check(nodes)).toThrow(message);
  });

  test('an Add of a constant, even one of the same shape', () => {
    const shapes = new Map([
      ['x', [1, 2, 2, 2]],
      ['map', [1, 2, 2, 2]],
    ]);
    const graph = toGraph([toNode('Add', ['x', 'map'], 'a')], constants);
    expect(() => assertIntegerBody(graph, { shapes, values: new Map() }, new Set())).toThrow('(Add): adds');
  });

  test('an output that nothing makes', () => {
    const graph = { ...toGraph([toNode('Flatten', ['x'], 'f')]), nodes: [] };
    expect(() => assertIntegerBody(graph, toShapes(graph, 2, 2, 2), new Set())).toThrow(
      "the output 'f' must come from a Gemm or MatMul classifier",
    );
  });
});
