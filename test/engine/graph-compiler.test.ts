import { describe, expect, it } from 'vitest';
import { compileEngineModel } from '../../src/toolchain/engine-compiler/compile-engine-model.ts';
import { indexGraph, type OnnxNode, soleConsumer } from '../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel, serialiseModel } from '../../src/toolchain/onnx/onnx-model.ts';
import { quantizeModel } from '../../src/toolchain/quantize/quantize-model.ts';
import { buildResnet } from '../toolchain/quantize/resnet-builder.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';

/**
 * A ResNet whose stem's result is read by its padded maximum and by a 3x3 convolution beside it, and
 * quantized with this zero point.
 */
async function makeForkedStem(zeroPoint: number): Promise<{ onnx: Uint8Array; fork: string }> {
  const random = createRandom(7);
  async function* calibration() {
    yield Float32Array.from({ length: 3 * 64 * 64 }, random.normal);
  }
  const fp32 = buildResnet({ opset: 13, input: ['batch', 'channels', 'height', 'width'] });
  const model = parseModel(
    (await quantizeModel(fp32, { calibration: calibration(), method: 'minmax' })).model,
  );
  const { graph } = model;
  const index = indexGraph(graph);
  const pool = graph.nodes.find(({ opType }) => opType === 'MaxPool')!;
  const stem = index.producers.get(index.producers.get(pool.inputs[0]!)!.inputs[0]!)!;
  const zero = graph.initializers.get(stem.inputs[2]!)!;
  graph.initializers.set('forked_zero_point', { ...zero, data: Uint8Array.of(zeroPoint) } as typeof zero);
  for (const node of [stem, index.producers.get(pool.inputs[0]!)!, ...rounds(pool)])
    node.inputs[2] = 'forked_zero_point';
  const conv = graph.nodes.find(({ opType, inputs }) => opType === 'Conv' && isAfter(pool, inputs[0]!))!;
  const after = [conv];
  while (after.at(-1)!.opType !== 'QuantizeLinear')
    after.push(soleConsumer(index, after.at(-1)!.outputs[0]!)!);
  // The convolution after the pool once more, this time of what the pool reads.
  const copies = after.map(
    (node): OnnxNode => ({
      ...node,
      name: `fork_${node.opType}`,
      inputs: node.inputs.map((name, position) => (position > 0 ? name : `${name}_fork`)),
      outputs: node.outputs.map((name) => `${name}_fork`),
    }),
  );
  copies[0]!.inputs[0] = pool.inputs[0]!;
  graph.nodes.splice(graph.nodes.indexOf(after.at(-1)!) + 1, 0, ...copies);
  return { onnx: serialiseModel(model), fork: 'fork_Conv' };

  /** What quantizes the pool's result, and reads it: as the pool's own input is. */
  function rounds(node: OnnxNode): OnnxNode[] {
    const quantize = soleConsumer(index, node.outputs[0]!)!;
    return [quantize, ...index.consumers.get(quantize.outputs[0]!)!];
  }
  function isAfter(node: OnnxNode, name: string): boolean {
    return index.producers.get(name)?.inputs[0] === soleConsumer(index, node.outputs[0]!)!.outputs[0];
  }
}

describe('a tensor over whose edge a padded maximum and a convolution look', () => {
  it('is refused where the two must find different values there', async () => {
    const { onnx, fork } = await makeForkedStem(3);
    expect(() => compileEngineModel(onnx, 64)).toThrow(fork);
  });
  it('is run where its zero point is the lowest value', async () => {
    const { onnx } = await makeForkedStem(0);
    expect(compileEngineModel(onnx, 64).plan.operators.length).toBeGreaterThan(5);
  });
});
