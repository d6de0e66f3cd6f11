import { expect, test } from 'vitest';
import type { OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import { findFloatHead } from '../../../../src/toolchain/quantize/normalise/find-float-head.ts';
import { floats, toGraph, toNode, toShapes } from './small-graph.ts';

const square = floats([2, 2], 1, 0, 0, 1);

function find(...nodes: OnnxNode[]) {
  const graph = toGraph(nodes, { v: square });
  const head = findFloatHead(graph, toShapes(graph, 2, 4, 4));
  return [...head].map(({ outputs }) => outputs[0]);
}
const body = toNode('Relu', ['x'], 'r');
const mean = toNode('GlobalAveragePool', ['r'], 'p');
const flat = (input: string, output: string) => toNode('Flatten', [input], output);
const layer = (input: string, output: string) => toNode('Gemm', [input, 'v'], output);

test('the one layer behind a mean is quantized', () => {
  expect(find(body, mean, flat('p', 'f'), layer('f', 'y'))).toEqual([]);
});

test('several layers stay in floats, the pool with them', () => {
  const nodes = [body, mean, flat('p', 'f'), layer('f', 'l'), toNode('Relu', ['l'], 's'), layer('s', 'y')];
  expect(find(...nodes)).toEqual(['p', 'f', 'l', 's', 'y']);
});

test('so does the layer behind a maximum', () => {
  const most = toNode('GlobalMaxPool', ['r'], 'p');
  expect(find(body, most, flat('p', 'f'), layer('f', 'y'))).toEqual(['p', 'f', 'y']);
});

test('so does what joins two pools', () => {
  const most = toNode('GlobalMaxPool', ['r'], 'q');
  const joined = toNode('Add', ['q', 'p'], 'j');
  expect(find(body, most, mean, joined, flat('j', 'f'), layer('f', 'y'))).toEqual(['q', 'p', 'j', 'f', 'y']);
});

test('pooled values that go back into the network are no head', () => {
  const scaled = toNode('Mul', ['r', 'p'], 'm');
  expect(find(body, mean, scaled)).toEqual([]);
  expect(find(body, mean, scaled, toNode('GlobalMaxPool', ['m'], 'q'), flat('q', 'y'))).toEqual([]);
});

test('pooled values that do not reach the output are none', () => {
  expect(find(body, mean, toNode('Relu', ['r'], 'y'))).toEqual([]);
});
