import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHeadSession } from '../../classify/head-session.ts';
import { sigmoid, softmax } from '../../classify/softmax.ts';
import { decodeToCrop } from '../../image/image-to-crop.ts';
import { toTensor } from '../../image/to-tensor.ts';
import { createOrtNodeSession } from '../../inference/ort-node.ts';
import type { Fp32Tensor } from '../../lib/tensor.ts';
import { topK } from '../../lib/top-k.ts';
import { parseHead } from '../../model/head.ts';
import { edgeKindOf, locateModelFile } from '../model-files.ts';
import { readImageOptions } from './image-options.ts';
import type { LabelledImage } from './labelled-images.ts';
import { bootEdgeRuntime, loadFile } from './node-runtime.ts';
import { findModel, type LocalModel } from './workspace.ts';

export type Engine = 'edge' | 'onnxruntime-node';

/** Runs one model on one engine, from image bytes to scores. */
export interface Evaluator {
  readonly name: string;
  score(bytes: Uint8Array): Promise<Float32Array>;
}

/**
 * @param engine `edge` is the Worker's own runtime and pipeline in this process; it needs a file
 *   that is compiled for it. `onnxruntime-node` takes any.
 */
export async function createEvaluator(model: LocalModel, engine: Engine): Promise<Evaluator> {
  const { manifest } = model;
  const run = engine === 'edge' ? await openEdge(model) : await openNode(model);
  return {
    name: `${manifest.name}/${manifest.version} on ${engine}`,
    async score(bytes) {
      const { crop } = await decodeToCrop(bytes, manifest.preprocess, readImageOptions());
      const output = await run(toTensor(crop, manifest.preprocess));
      if (manifest.output.kind === 'probabilities') return output;
      return manifest.output.scoring === 'sigmoid' ? sigmoid(output) : softmax(output);
    },
  };
}

async function openEdge({
  folder,
  manifest,
}: LocalModel): Promise<(input: Fp32Tensor) => Promise<Float32Array>> {
  const { backbone, files } = manifest;
  if (backbone && files.head) {
    const { name, version } = backbone;
    const head = parseHead(new Uint8Array(await readFile(join(folder, files.head.file))));
    const session = toHeadSession(await loadNetwork(await findModel(`${name}/${version}`)), head);
    return async (input) => (await session.run(input)).data;
  }
  const session = await loadNetwork({ folder, manifest });
  return async (input) => (await session.run(input)).data;
}

async function loadNetwork({ folder, manifest }: Pick<LocalModel, 'folder' | 'manifest'>) {
  const kind = edgeKindOf(manifest);
  if (!kind) throw new Error(`${manifest.name}/${manifest.version} is not compiled for the edge.`);
  const path = await locateModelFile(folder, manifest, kind);
  return await loadFile(await bootEdgeRuntime(manifest.runtime), path, manifest.runtimeMemoryBytes);
}

async function openNode({ folder, manifest }: LocalModel) {
  const session = await createOrtNodeSession(await locateModelFile(folder, manifest, 'onnx'));
  return async (input: Fp32Tensor) => {
    const outputs = await session.run(new Map([[manifest.input.name, input]]));
    return outputs.get(manifest.output.name)!.data;
  };
}

export interface Evaluation {
  readonly evaluator: string;
  readonly images: number;
  /** Fractions in [0, 1]. */
  readonly top1: number;
  readonly top5: number;
  /** Expected calibration error over 15 bins of the top score (Guo et al. 2017): 0 is perfect. */
  readonly calibration_error: number;
  readonly mean_top_score: number;
  /** Fraction of images with the same top-1 as the other evaluator. */
  readonly agreement?: number;
}

const calibrationBins = 15;

/**
 * @param images one at least.
 * @param against a second evaluator to compare top-1 with.
 */
export async function evaluate(
  images: readonly LabelledImage[],
  evaluator: Evaluator,
  against: Evaluator | undefined,
  onProgress: (done: number) => void,
): Promise<Evaluation> {
  const bins = Array.from({ length: calibrationBins }, () => ({ count: 0, hits: 0, scores: 0 }));
  let [top1, top5, agreed, topScores] = [0, 0, 0, 0];
  for (const [index, { path, classIndex }] of images.entries()) {
    const bytes = await readFile(path);
    const scores = await evaluator.score(bytes).catch((cause: unknown) => {
      // An image that is left out in silence would change what the figures describe.
      throw new Error(`${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    });
    const best = topK(scores, 5);
    const score = scores[best[0]!]!;
    const hit = best[0] === classIndex;
    if (hit) top1++;
    if (best.includes(classIndex)) top5++;
    if (against && topK(await against.score(bytes), 1)[0] === best[0]) agreed++;
    topScores += score;
    const bin = bins[Math.min(calibrationBins - 1, Math.floor(score * calibrationBins))]!;
    bin.count++;
    bin.scores += score;
    if (hit) bin.hits++;
    onProgress(index + 1);
  }
  const total = images.length;
  return {
    evaluator: evaluator.name,
    images: total,
    top1: top1 / total,
    top5: top5 / total,
    calibration_error: bins.reduce((sum, { hits, scores }) => sum + Math.abs(hits - scores) / total, 0),
    mean_top_score: topScores / total,
    ...(against && { agreement: agreed / total }),
  };
}
