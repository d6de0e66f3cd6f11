import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OnnxFormatError, UnsupportedGraphError } from '../../../src/toolchain/onnx/onnx-errors.ts';
import { indexGraph, soleConsumer } from '../../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel, serialiseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import {
  decodeModelProto,
  encodeModelProto,
  type ModelProto,
} from '../../../src/toolchain/onnx/onnx-proto.ts';
import { fuzz } from '../../fuzz.ts';
import { buildResnet } from '../quantize/resnet-builder.ts';

const bytes = buildResnet({ opset: 13, inertNodes: true, stem: 'pad-node' });

/** A model of one Relu, with one thing changed. */
function tiny(change: (model: ModelProto & { graph: NonNullable<ModelProto['graph']> }) => void): Uint8Array {
  const model = {
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      node: [{ name: 'r', opType: 'Relu', input: ['x'], output: ['y'] }],
      input: [{ name: 'x' }],
      output: [{ name: 'y' }],
    },
  };
  change(model);
  return encodeModelProto(model);
}

test('a model survives the way through the graph and back, byte for byte', () => {
  expect(serialiseModel(parseModel(bytes))).toEqual(bytes);
});

test('fields that the schema subset does not know survive decoding and encoding', () => {
  // ModelProto.configuration (26), length-delimited: newer than this schema.
  const extended = new Uint8Array([...bytes, 0xd2, 0x01, 3, 1, 2, 3]);
  const again = encodeModelProto(decodeModelProto(extended));
  expect(again).toEqual(extended);
});

describe('refuses as malformed', () => {
  test.each([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('<!doctype html><title>404</title>')],
    ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
    ['a model cut short', bytes.slice(0, bytes.length - 100)],
  ])('%s', (_, input) => {
    expect(() => parseModel(input)).toThrow(OnnxFormatError);
  });

  test('nodes out of order', () => {
    const model = tiny(({ graph }) => graph.node?.[0]?.input?.splice(0, 1, 'later'));
    expect(() => parseModel(model)).toThrow(/'r' \(Relu\) reads 'later'/);
  });

  test('a tensor made twice', () => {
    const model = tiny(({ graph }) => graph.node?.push({ opType: 'Relu', input: ['x'], output: ['y'] }));
    expect(() => parseModel(model)).toThrow(/'y' is made twice/);
  });

  test('an output that nothing makes', () => {
    const model = tiny(({ graph }) => graph.output?.push({ name: 'z' }));
    expect(() => parseModel(model)).toThrow(/nothing makes the graph's output 'z'/);
  });
});

describe('refuses as unsupported', () => {
  test('functions', () => {
    const model = tiny((proto) => {
      proto.functions = [Uint8Array.of(1)];
    });
    expect(() => parseModel(model)).toThrow(/defines functions/);
  });

  test('a subgraph, naming the node', () => {
    const model = tiny(({ graph }) => {
      graph.node?.push({
        name: 'branch',
        opType: 'If',
        input: ['x'],
        output: ['z'],
        attribute: [{ name: 'then_branch', type: 5, g: Uint8Array.of() }],
      });
    });
    expect(() => parseModel(model)).toThrow(expect.objectContaining({ nodeName: 'branch', opType: 'If' }));
  });

  test('contents in another file', () => {
    const model = tiny(({ graph }) => {
      graph.initializer = [{ name: 'w', dims: [1], dataType: 1, dataLocation: 1 }];
    });
    expect(() => parseModel(model)).toThrow(/'w' keeps its contents in another file/);
  });
});

test('damaged bytes end in one of the two errors, never in another', () => {
  const short = buildResnet({ opset: 13, norm: 'folded' }).slice(0, 3000);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
      const damaged = cut ? short.slice(0, at % short.length) : bytes.slice();
      damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ flip;
      try {
        parseModel(damaged);
      } catch (error) {
        expect(
          error instanceof OnnxFormatError || error instanceof UnsupportedGraphError,
          String(error),
        ).toBe(true);
      }
    }),
    fuzz(500),
  );
});

test('the index knows producers, consumers, and who is read by one node only', () => {
  const { graph } = parseModel(buildResnet({ opset: 13, norm: 'folded' }));
  const index = indexGraph(graph);
  const pool = graph.nodes.find((node) => node.opType === 'MaxPool');
  const pooled = pool?.outputs[0] as string;
  expect(index.producers.get(pooled)).toBe(pool);
  expect(index.consumers.get(pooled)?.map((node) => node.opType)).toEqual(['Conv', 'Add']);
  expect(soleConsumer(index, pooled)).toBeUndefined();
  expect(soleConsumer(index, graph.nodes[0]?.outputs[0] as string)?.opType).toBe('Relu');
  expect(soleConsumer(index, 'logits')).toBeUndefined();
});
