import { describe, expect, test } from 'vitest';
import type { OnnxNode } from '../../../../src/toolchain/onnx/onnx-graph.ts';
import { dropInertNodes } from '../../../../src/toolchain/quantize/normalise/drop-inert-nodes.ts';
import { float, floats, int, toGraph, toLines, toNode } from './small-graph.ts';

function drop(...nodes: OnnxNode[]) {
  const graph = toGraph(nodes, {
    ratio: floats([], 0.5),
    yes: { datatype: 'BOOL', shape: [], data: Uint8Array.of(1) },
    no: { datatype: 'BOOL', shape: [], data: Uint8Array.of(0) },
  });
  const notes = dropInertNodes(graph);
  return { lines: toLines(graph), notes };
}
const relu = () => toNode('Relu', ['i'], 'y');

/** TensorProto.DataType: FLOAT 1, FLOAT16 10, DOUBLE 11; INT32 6. */
test.each([
  ['an Identity', toNode('Identity', ['x'], 'i')],
  ['a Dropout', toNode('Dropout', ['x'], 'i', { ratio: float(0.5) })],
  ['a Dropout that says it is not training', toNode('Dropout', ['x', 'ratio', 'no'], 'i')],
  ['a cast to floats', toNode('Cast', ['x'], 'i', { to: int(1) })],
  ['a cast to halves', toNode('Cast', ['x'], 'i', { to: int(10) })],
  ['a cast to doubles', toNode('Cast', ['x'], 'i', { to: int(11) })],
])('%s goes', (_, node) => {
  expect(drop(node, relu())).toEqual({ lines: ['y = Relu(x)'], notes: [] });
});

test.each([
  ['a cast to integers', toNode('Cast', ['x'], 'i', { to: int(6) })],
  ['another operator that says where to', toNode('Convert', ['x'], 'i', { to: int(1) })],
  ['a Softmax within the network', toNode('Softmax', ['x'], 'i')],
  ['a LogSoftmax within the network', toNode('LogSoftmax', ['x'], 'i')],
])('%s stays', (_, node) => {
  const { lines, notes } = drop(node, relu());
  expect(lines).toHaveLength(2);
  expect(notes).toEqual([]);
});

test.each(['Softmax', 'LogSoftmax'])('a final %s goes, and a note says so', (opType) => {
  const { lines, notes } = drop(toNode('Relu', ['x'], 'r'), toNode(opType, ['r'], 'y'));
  expect(lines).toEqual(['y = Relu(x)']);
  expect(notes).toEqual([`dropped the final ${opType} 'node_y': the output is logits now`]);
});

test('another operator at the end stays', () => {
  expect(drop(toNode('Sigmoid', ['x'], 'y'))).toEqual({ lines: ['y = Sigmoid(x)'], notes: [] });
});

describe('a Dropout', () => {
  const withMask = () => ({ ...toNode('Dropout', ['x'], 'i'), outputs: ['i', 'mask'] });

  test('whose mask nobody reads goes', () => {
    expect(drop(withMask(), relu()).lines).toEqual(['y = Relu(x)']);
  });

  test('whose mask is read is refused', () => {
    expect(() => drop(withMask(), toNode('Relu', ['mask'], 'y'))).toThrow(
      "node 'node_i' (Dropout): its mask is used; export the model in inference mode",
    );
  });

  test.each([['yes'], ['computed']])('in training mode (%s) is refused', (mode) => {
    expect(() => drop(toNode('Dropout', ['x', 'ratio', mode], 'i'), relu())).toThrow(
      "node 'node_i' (Dropout): is in training mode; export the model in inference mode",
    );
  });
});
