import { expect, test } from 'vitest';
import { OnnxFormatError, UnsupportedGraphError } from '../../../src/toolchain/onnx/onnx-errors.ts';
import type { AttributeValue, OnnxGraph } from '../../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { normaliseGraph } from '../../../src/toolchain/quantize/normalise/normalise-graph.ts';
import { buildResnet, type ResnetSpelling } from './resnet-builder.ts';
import { createRandom, type Random } from './seeded-random.ts';

const spellings: ResnetSpelling[] = [
  { opset: 13 },
  { opset: 11, flatten: 'reshape-computed', inertNodes: true },
  {
    opset: 15,
    stem: 'pad-node',
    pooling: 'reduce-mean-attribute',
    flatten: 'none',
    classifier: 'matmul-add',
  },
  { opset: 14, block: 'bottleneck', shortcut: 'average-pool', normalisesInput: true },
];

/** Breaks one thing: an input, an attribute, an operator or a constant. */
function mutate(graph: OnnxGraph, random: Random): string {
  const pick = <T>(items: readonly T[]) => items[Math.floor(random.uniform() * items.length)] as T;
  const node = pick(graph.nodes);
  const constants = [...graph.initializers.keys()];
  const kind = pick([
    'drop input',
    'change attribute',
    'drop attributes',
    'change operator',
    'swap constant',
    'rewire',
  ]);
  switch (kind) {
    case 'drop input':
      node.inputs.splice(Math.floor(random.uniform() * node.inputs.length), 1);
      break;
    case 'change attribute':
      for (const [name, { type, value }] of node.attributes) {
        if (type === 'INTS') {
          const changed = value.map((size): number => pick([size, 0, -1, 2, 1000]));
          node.attributes.set(name, { type, value: changed } satisfies AttributeValue);
        }
        if (type === 'INT') node.attributes.set(name, { type, value: pick([0, 1, 2, -1, 99]) });
      }
      break;
    case 'drop attributes':
      node.attributes = new Map();
      break;
    case 'change operator':
      node.opType = pick(graph.nodes).opType;
      break;
    case 'swap constant':
      graph.initializers.set(pick(constants), graph.initializers.get(pick(constants)) as never);
      break;
    default:
      node.inputs[Math.floor(random.uniform() * node.inputs.length)] = pick(['data', '', ...constants]);
  }
  return `${kind} at ${node.opType} '${node.name}'`;
}

test('a damaged graph is normalised or refused with a typed error, never another', () => {
  const random = createRandom(11);
  let refused = 0;
  for (let i = 0; i < 1200; i++) {
    const model = parseModel(buildResnet(spellings[i % spellings.length] as ResnetSpelling));
    const what = mutate(model.graph, random);
    try {
      normaliseGraph(model, 3 * 32 * 32);
    } catch (error) {
      const isTyped = error instanceof UnsupportedGraphError || error instanceof OnnxFormatError;
      expect(isTyped, `${what}: ${error}`).toBe(true);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(300);
});
