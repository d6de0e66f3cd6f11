import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifyFeatures } from '../../../src/classify/head-session.ts';
import { softmax } from '../../../src/classify/softmax.ts';
import { loadFile } from '../../../src/cli/models/node-runtime.ts';
import { bootEngineNode } from '../../../src/inference/engine-node.ts';
import { createOrtNodeSession, type OrtNodeSession } from '../../../src/inference/ort-node.ts';
import type { InferenceSession } from '../../../src/inference/session.ts';
import type { Head } from '../../../src/model/head.ts';
import { attachHead, headOutput } from '../../../src/toolchain/export/attach-head.ts';
import { toFp32 } from '../../../src/toolchain/export/to-fp32.ts';
import { parseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { findEngineFile, goldenNames, goldenPath, modelPath, readCropTensor } from '../../golden/golden.ts';
import { createRandom } from '../quantize/seeded-random.ts';

const blockSizes = [64, 64, 128, 128, 256, 256, 512, 512, 512];

function makeHead(blocks: readonly number[], classes: number): Head {
  const random = createRandom(3).uniform;
  const features = blocks.reduce((sum, size) => sum + size, 0);
  return {
    classes,
    labels: Array.from({ length: classes }, (_, index) => `class ${index}`),
    backbone: { name: 'resnet18-imagenet1k', version: '3' },
    blocks: [...blocks],
    temperature: 0.2,
    threshold: 0,
    min_similarity: 0,
    weights: Float32Array.from({ length: classes * features }, () => random() - 0.5),
    biases: Float32Array.from({ length: classes }, () => random() - 0.5),
    means: new Uint8Array(classes * features),
  };
}

describe.each([
  ['all blocks', blockSizes],
  ['the last block', [512]],
] as const)('a head on %s, attached to its backbone', (_, blocks) => {
  const head = makeHead(blocks, 7);
  let onnx: Uint8Array;
  let exported: OrtNodeSession;
  let engine: InferenceSession;
  beforeAll(async () => {
    onnx = attachHead(await readFile(modelPath), head);
    exported = await createOrtNodeSession(onnx);
    engine = await loadFile(await bootEngineNode('plain'), await findEngineFile());
  });
  afterAll(() => exported?.close());

  it.each(goldenNames)('gives onnxruntime-node the answer that the edge gives: %s', async (name) => {
    const data = await readCropTensor(goldenPath(`${name}.crop.png`));
    const input = { datatype: 'FP32', shape: [1, 3, 224, 224], data } as const;
    const { features } = await engine.runWithFeatures!(input, 'all');
    const wanted = softmax(classifyFeatures(head, features).data);
    const outputs = await exported.run(new Map([[exported.inputNames[0]!, input]]));
    const scores = outputs.get(headOutput)!.data;
    expect([...scores]).toEqual([...wanted].map((score) => expect.closeTo(score, 4)));
  });

  it.each(goldenNames)('gives nearly the same as floats alone: %s', async (name) => {
    const float = toFp32(onnx);
    const { graph } = parseModel(float);
    expect(graph.nodes.filter(({ opType }) => /Quantize|QLinear|Integer/.test(opType))).toEqual([]);
    const data = await readCropTensor(goldenPath(`${name}.crop.png`));
    const input = { datatype: 'FP32', shape: [1, 3, 224, 224], data } as const;
    const session = await createOrtNodeSession(float);
    const [own, wanted] = await Promise.all(
      [session, exported].map(async (one) => {
        const outputs = await one.run(new Map([[one.inputNames[0]!, input]]));
        return [...outputs.get(headOutput)!.data];
      }),
    );
    await session.close();
    expect(own!.indexOf(Math.max(...own!))).toBe(wanted!.indexOf(Math.max(...wanted!)));
    for (const [index, score] of own!.entries()) expect(Math.abs(score - wanted![index]!)).toBeLessThan(0.05);
  });

  it('leaves nothing behind of the classifier that it replaces', () => {
    const { graph } = parseModel(onnx);
    expect(graph.outputs).toMatchObject([{ name: headOutput, shape: [expect.anything(), 7] }]);
    expect([...graph.initializers.values()].some(({ shape }) => shape.includes(1000))).toBe(false);
  });
});
