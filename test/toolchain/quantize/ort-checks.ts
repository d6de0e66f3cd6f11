import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrtNodeSession } from '../../../src/inference/ort-node.ts';
import type { OnnxNode } from '../../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel } from '../../../src/toolchain/onnx/onnx-model.ts';

/** @returns The nodes that ONNX Runtime itself makes of the model at level 'extended'. */
export async function optimisedNodes(model: Uint8Array): Promise<OnnxNode[]> {
  const folder = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
  try {
    const path = join(folder, 'optimised.onnx');
    const session = await createOrtNodeSession(model, {
      graphOptimizationLevel: 'extended',
      saveOptimized: { path, format: 'ONNX' },
    });
    await session.close();
    return parseModel(new Uint8Array(await readFile(path))).graph.nodes;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** How often each operator occurs. */
export function countOperators(nodes: readonly OnnxNode[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { opType } of nodes) counts[opType] = (counts[opType] ?? 0) + 1;
  return counts;
}

/**
 * @param images CHW each, of `shape` [channels, height, width].
 * @returns Logits per image; a fixed batch is filled with copies of the image.
 */
export async function runModel(
  model: Uint8Array,
  images: readonly Float32Array[],
  shape: readonly number[],
  batch = 1,
): Promise<Float32Array[]> {
  const session = await createOrtNodeSession(model);
  const logits: Float32Array[] = [];
  for (const image of images) {
    const data = new Float32Array(image.length * batch);
    for (let i = 0; i < batch; i++) data.set(image, i * image.length);
    const outputs = await session.run(
      new Map([[session.inputNames[0] as string, { datatype: 'FP32', shape: [batch, ...shape], data }]]),
    );
    const output = outputs.get(session.outputNames[0] as string)?.data as Float32Array;
    logits.push(output.slice(0, output.length / batch));
  }
  await session.close();
  return logits;
}

export function argmax(values: Float32Array): number {
  return values.indexOf(Math.max(...values));
}

/** Root mean square of the differences, over the root mean square of the reference around its mean. */
export function relativeError(actual: readonly Float32Array[], reference: readonly Float32Array[]): number {
  let [error, signal] = [0, 0];
  reference.forEach((logits, image) => {
    const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
    logits.forEach((logit, i) => {
      error += ((actual[image]?.[i] as number) - logit) ** 2;
      signal += (logit - mean) ** 2;
    });
  });
  return Math.sqrt(error / signal);
}
