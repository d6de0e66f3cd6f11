import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prediction } from '../../../src/classify/classification.ts';
import { toVector } from '../../../src/classify/embedding.ts';
import { classifyFeatures } from '../../../src/classify/head-session.ts';
import { softmax } from '../../../src/classify/softmax.ts';
import { loadFile } from '../../../src/cli/models/node-runtime.ts';
import { bootEngineNode } from '../../../src/inference/engine-node.ts';
import type { InferenceSession } from '../../../src/inference/session.ts';
import { formatHeadVersion, toHead } from '../../../src/model/format-head-version.ts';
import type { Head } from '../../../src/model/head.ts';
import { chunkMediaType, writeChunk } from '../../../src/protocol/tier/chunk-format.ts';
import {
  assetPath,
  defaultModel,
  findEngineFile,
  goldenNames,
  goldenPath,
  photoFiles,
  readCropTensor,
  readDefaultManifest,
} from '../../golden/golden.ts';
import { createRandom } from '../../toolchain/quantize/seeded-random.ts';
import { startTier, type TierProcess } from './tier-process.ts';

const blocks = [64, 64, 128, 128, 256, 256, 512, 512, 512];
const labels = ['one', 'two', 'three'];

/** @param minSimilarity above 1 nothing is like what the head has learned. */
function makeHead(own: readonly number[], seed: number, minSimilarity: number): Head {
  const random = createRandom(seed).uniform;
  const features = own.reduce((sum, size) => sum + size, 0);
  const lesson = {
    weights: Float32Array.from({ length: labels.length * features }, () => random() - 0.5),
    biases: Float32Array.from(labels, () => random() - 0.5),
    temperature: 0.1,
    threshold: 0,
    minSimilarity,
    means: labels.map(() => toVector([Float32Array.from({ length: features }, random)], true)),
  };
  return toHead(lesson, labels, defaultModel, own);
}

const heads = {
  whole: makeHead(blocks, 1, 0),
  last: makeHead([512], 2, 0),
  stranger: makeHead(blocks, 3, 1),
  // As callers of the edge teach them: in no catalogue.
  unlisted: makeHead(blocks, 5, 0),
  // Of another backbone: it has more blocks than this one.
  foreign: makeHead([...blocks, 512], 4, 0),
};

describe('heads on the Node tier', () => {
  let folder: string;
  let tier: TierProcess;
  let engine: InferenceSession;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tier-heads-'));
    const backbone = `${defaultModel.name}/${defaultModel.version}`;
    await cp(assetPath(backbone), join(folder, backbone), { recursive: true });
    const names = Object.keys(heads);
    const listed = names.filter((name) => name !== 'unlisted');
    const models = [{ ...defaultModel }, ...listed.map((name) => ({ name, version: '1' }))];
    await writeFile(
      join(folder, 'catalog.json'),
      JSON.stringify({ default_model: defaultModel.name, models }),
    );
    for (const [name, head] of Object.entries(heads)) {
      await mkdir(join(folder, name, '1'), { recursive: true });
      const version = {
        name,
        version: '1',
        backbone: await readDefaultManifest(),
        head,
        description: 'A head of this test.',
        source: 'this test',
      };
      for (const [file, bytes] of await formatHeadVersion(version)) {
        await writeFile(join(folder, name, '1', file), bytes);
      }
    }
    tier = await startTier({ TIER_MODELS_DIR: folder });
    engine = await loadFile(await bootEngineNode('plain'), await findEngineFile());
  });
  afterAll(async () => {
    await tier?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function ask(model: string): Promise<Record<string, unknown>[]> {
    const response = await send(model, '1');
    expect(response.status).toBe(200);
    const lines = (await response.text()).trim().split('\n');
    return lines.map((line) => JSON.parse(line)).toSorted((a, b) => (a.index ?? 99) - (b.index ?? 99));
  }

  async function send(
    model: string,
    version: string | undefined,
    photos: readonly (typeof goldenNames)[number][] = goldenNames,
  ): Promise<Response> {
    async function* items() {
      for (const [index, name] of photos.entries()) {
        yield { index, bytes: new Uint8Array(await readFile(goldenPath(photoFiles[name]))) };
      }
    }
    const head = { model, model_version: version, top_k: 3, items: goldenNames.length } as const;
    const parts: Uint8Array[] = [];
    for await (const part of writeChunk(
      { ...head, orientation: 'apply', scoring: 'model', strict: false },
      items(),
    ))
      parts.push(part);
    return await tier.fetch('/v1/chunks', {
      method: 'POST',
      headers: { 'content-type': chunkMediaType },
      body: new Uint8Array(Buffer.concat(parts)),
    });
  }

  it.each(['whole', 'last', 'unlisted'] as const)('%s: scores of the edge’s engine', async (name) => {
    const results = await ask(name);
    for (const [index, photo] of goldenNames.entries()) {
      const data = await readCropTensor(goldenPath(`${photo}.crop.png`));
      const input = { datatype: 'FP32', shape: [1, 3, 224, 224], data } as const;
      const { features } = await engine.runWithFeatures!(input, 'all');
      const scores = softmax(classifyFeatures(heads[name], features).data);
      const { predictions, ...rest } = results[index] as { predictions: Prediction[] };
      expect(rest).toMatchObject({ index, model: name, tier: 'node' });
      expect(predictions).toHaveLength(labels.length);
      for (const { class_index, label, score } of predictions) {
        expect(label).toBe(labels[class_index]);
        expect(score).toBeCloseTo(scores[class_index]!, 5);
      }
      expect(results[index]).not.toHaveProperty('unknown');
    }
    expect(results.at(-1)).toEqual({ end: true });
  });

  it.each([
    ['unlisted', undefined],
    ['unlisted', '2'],
    ['../whole', '1'],
    ['whole', '../1'],
  ])('%s, version %s, is no model', async (name, version) => {
    const response = await send(name, version, []);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'model_unknown' });
  });

  it('say what is none of their classes', async () => {
    for (const result of (await ask('stranger')).slice(0, -1))
      expect(result).toMatchObject({ unknown: true });
  });

  it('of another backbone are a problem of their own, not a wrong answer', async () => {
    for (const result of (await ask('foreign')).slice(0, -1)) {
      expect(result).toMatchObject({ problem: { code: 'model_corrupt' } });
    }
  });

  it('share one network, and one name in metrics', async () => {
    const ready = (await (await tier.fetch('/v1/health/ready')).json()) as { models: { name: string }[] };
    expect(ready.models.map(({ name }) => name)).toEqual([defaultModel.name, defaultModel.name]);
    const metrics = await (await tier.fetch('/metrics')).text();
    expect(metrics).toContain('nv_inference_request_success{model="head"');
    for (const name of Object.keys(heads)) expect(metrics).not.toContain(`model="${name}"`);
  });
});
