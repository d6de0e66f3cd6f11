import { expect, test } from 'vitest';
import type { OnnxTensor } from '../../../../src/toolchain/onnx/onnx-tensor.ts';
import { canonicaliseClips } from '../../../../src/toolchain/quantize/normalise/canonical-clip.ts';
import { float, floats, toGraph, toLines, toNode, valuesOf } from './small-graph.ts';

const largest = 3.4028234663852886e38;

function clip(
  inputs: string[],
  attributes: Record<string, number> = {},
  more: Record<string, OnnxTensor> = {},
) {
  const spelled = Object.entries(attributes).map(([name, value]) => [name, float(value)]);
  const graph = toGraph(
    [toNode('Conv', ['x', 'w'], 'c'), toNode('Clip', ['c', ...inputs], 'y', Object.fromEntries(spelled))],
    {
      zero: floats([], 0),
      six: floats([], 6),
      minus: floats([], -1),
      largest: floats([], largest),
      lowest: floats([], -largest),
      ...more,
    },
  );
  canonicaliseClips(graph);
  return graph;
}

test.each([
  { spelling: 'attributes', inputs: [], attributes: { min: 0, max: 6 } },
  { spelling: 'inputs', inputs: ['zero', 'six'], attributes: {} },
])('a ReLU6 whose ends are $spelling has them as constants', ({ inputs, attributes }) => {
  const graph = clip(inputs, attributes);
  expect(toLines(graph)).toEqual(['c = Conv(x,w)', 'y = Clip(c,y_min,y_max)']);
  expect(graph.nodes[1]!.attributes.size).toBe(0);
  expect(valuesOf(graph, 'y_min')).toEqual([0]);
  expect(valuesOf(graph, 'y_max')).toEqual([6]);
});

test('names that are taken are left alone', () => {
  const graph = clip(['zero', 'six'], {}, { y_min: floats([], 7) });
  expect(graph.nodes[1]!.inputs).toEqual(['c', 'y_min_2', 'y_max']);
  expect(valuesOf(graph, 'y_min')).toEqual([7]);
});

test.each([
  { spelling: 'left out', inputs: ['zero'], attributes: {} },
  { spelling: 'the largest float, as an attribute', inputs: [], attributes: { min: 0, max: largest } },
  { spelling: 'the largest float, as an input', inputs: ['zero', 'largest'], attributes: {} },
])('one from 0 whose upper end is $spelling is a Relu', ({ inputs, attributes }) => {
  const graph = clip(inputs, attributes);
  expect(toLines(graph)).toEqual(['c = Conv(x,w)', 'y = Relu(c)']);
  expect(graph.nodes[1]!.attributes.size).toBe(0);
});

test.each([{ inputs: [] }, { inputs: ['', ''] }, { inputs: ['lowest', 'largest'] }])(
  'one without ends ($inputs) goes',
  ({ inputs }) => {
    expect(toLines(clip(inputs))).toEqual(['y = Conv(x,w)']);
  },
);

test.each([
  { inputs: ['minus', 'six'], ends: '-1, 6' },
  { inputs: ['six', 'largest'], ends: `6, ${largest}` },
  { inputs: ['', 'six'], ends: '-Infinity, 6' },
  { inputs: ['zero', 'zero'], ends: '0, 0' },
  { inputs: ['zero', 'minus'], ends: '0, -1' },
])('one to [$ends] is no ReLU6 and refused', ({ inputs, ends }) => {
  expect(() => clip(inputs)).toThrow(`node 'node_y' (Clip): clips to [${ends}], which is no ReLU6`);
});

test('one whose ends are computed is refused', () => {
  expect(() => clip(['zero', 'computed'])).toThrow("node 'node_y' (Clip): its ends must be constants");
});
