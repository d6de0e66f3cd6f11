import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOrtNodeSession } from '../../src/inference/ort-node.ts';
import { writeOrtVersion } from '../golden/default-versions.ts';
import {
  assetPath,
  goldenPath,
  modelPath,
  photoFiles,
  readCropTensor,
  readGoldenLogits,
} from '../golden/golden.ts';
import { readFixture, readPngCase } from '../image/fixtures.ts';
import { type FaultyProxy, startFaultyProxy } from '../tier/server/faulty-proxy.ts';
import { startTier, type TierProcess } from '../tier/server/tier-process.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

/** The default network under another name, for the Node tier alone. */
const heavy = 'heavy-resnet';
const files = ['manifest.json', 'labels.json', 'model.ort', 'model.onnx'];
const edgeModel = 'resnet18-imagenet1k';
const cat = new Uint8Array(await readFile(goldenPath(photoFiles.cat)));
const toJson = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

interface Answer {
  readonly tier: string;
  readonly image: { format: string; width: number; height: number; approximate?: true; warnings?: string[] };
  readonly predictions: { class_index: number; label: string; score: number }[];
}

let modelsDir: string;
let tier: TierProcess;
let proxy: FaultyProxy;
let edge: EdgeServer;
let alone: EdgeServer;

async function putHeavy({ models }: EdgeServer): Promise<void> {
  const catalog = {
    default_model: edgeModel,
    models: [
      { name: edgeModel, version: '3' },
      { name: heavy, version: '1' },
    ],
  };
  await models.put('catalog.json', toJson(catalog));
  for (const file of files) {
    await models.put(`${heavy}/1/${file}`, await readFile(join(modelsDir, heavy, '1', file)));
  }
}

beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'resnet-edge-models-'));
  await writeOrtVersion(modelsDir, { name: heavy, tier: 'node' });
  await cp(assetPath(`${edgeModel}/3`), join(modelsDir, edgeModel, '3'), { recursive: true });
  const models = [
    { name: heavy, version: '1' },
    { name: edgeModel, version: '3' },
  ];
  await writeFile(join(modelsDir, 'catalog.json'), JSON.stringify({ default_model: heavy, models }));

  tier = await startTier({ TIER_MODELS_DIR: modelsDir });
  proxy = await startFaultyProxy(tier.url);
  const vars = { NODE_TIER_URL: proxy.url, NODE_TIER_SECRET: tier.secret };
  edge = await startEdge({ vars });
  alone = await startEdge({ vars: { ...vars, NODE_TIER_SYNC: 'off' } });
  await putHeavy(edge);
  await putHeavy(alone);
});
afterAll(async () => {
  await Promise.all([edge?.stop(), alone?.stop(), proxy?.close(), tier?.stop()]);
  await rm(modelsDir, { recursive: true, force: true });
});
beforeEach(() => {
  proxy.fault = 'none';
  proxy.requests = 0;
});

async function classify(query: string, body: BodyInit, headers = {}): Promise<Answer> {
  const response = await edge.fetch(`/v1/classify?${query}`, { method: 'POST', body, headers });
  const answer = (await response.json()) as Answer;
  expect(answer, JSON.stringify(answer)).toHaveProperty('predictions');
  return answer;
}

/** 3.8 megapixels: more than an isolate has memory for. */
async function makeLargeAvif(): Promise<Uint8Array<ArrayBuffer>> {
  const cat = await readFile(goldenPath('cat.jpg'));
  return new Uint8Array(await sharp(cat).resize(2400, 1600, { fit: 'fill' }).avif({ effort: 0 }).toBuffer());
}

describe('a request that is beyond the edge', () => {
  it('has its batch-tier model run on the Node tier: scores are those of onnxruntime-node', async () => {
    const { cat: logits } = await readGoldenLogits();
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const { tier: where, image, predictions } = await classify(`model=${heavy}&top_k=3`, cat);
    expect(where).toBe('node');
    expect(image).toEqual({ format: 'jpeg', width: expect.any(Number), height: expect.any(Number) });
    expect(predictions.map(({ label }) => label)[0]).toBe('Egyptian cat');
    for (const { class_index, score } of predictions) {
      expect(score).toBeCloseTo(Math.exp(logits[class_index]!) / sum, 4);
    }
    expect(proxy.requests).toBe(1);
  });

  it('keeps at the edge what fits there', async () => {
    expect(await classify('top_k=1', cat)).toMatchObject({ tier: 'edge' });
    expect(proxy.requests).toBe(0);
  });

  it('says of each file of a form where it ran', async () => {
    const form = new FormData();
    form.append('image', new Blob([cat]), 'cat.jpg');
    form.append('image', new Blob([await makeLargeAvif()]), 'cat.avif');
    const response = await edge.fetch('/v1/classify/form?top_k=1', { method: 'POST', body: form });
    const { results } = (await response.json()) as { results: Answer[] };
    expect(results).toMatchObject([
      { tier: 'edge', predictions: [{ label: 'Egyptian cat' }] },
      { tier: 'node', image: { approximate: true }, predictions: [{ label: 'Egyptian cat' }] },
    ]);
  });

  it('has a photo decoded there that an isolate has no memory for: a lossless WebP', async () => {
    const large = await sharp(cat)
      .resize(2000, 1600, { fit: 'fill' })
      .webp({ lossless: true, effort: 0 })
      .toBuffer();
    expect(await classify('top_k=1', new Uint8Array(large))).toMatchObject({
      tier: 'node',
      image: { format: 'webp', width: 2000, height: 1600 },
      predictions: [{ label: 'Egyptian cat' }],
    });
  });

  it('passes orientation and scoring on', async () => {
    const turned = new Uint8Array(readFixture('orientation-6.jpg'));
    const upright = await classify(`model=${heavy}`, turned);
    const stored = await classify(`model=${heavy}&orientation=ignore`, turned);
    expect([stored.image.width, stored.image.height]).toEqual([upright.image.height, upright.image.width]);

    const { cat: logits } = await readGoldenLogits();
    const response = await edge.fetch(`/models/${heavy}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        inputs: Buffer.from(cat).toString('base64'),
        parameters: { function_to_apply: 'none', top_k: 1 },
      }),
    });
    const [best] = (await response.json()) as { score: number }[];
    expect(best!.score).toBeCloseTo(Math.max(...logits), 4);
  });

  it('passes warnings back, and strict on', async () => {
    const damaged = readPngCase('crc-zero.png');
    expect(await classify(`model=${heavy}`, damaged)).toMatchObject({
      tier: 'node',
      image: { warnings: ['png_checksum_mismatch'] },
    });
    const response = await edge.fetch(`/v1/classify?model=${heavy}&strict=true`, {
      method: 'POST',
      body: damaged,
    });
    expect(await response.json()).toMatchObject({ code: 'image_malformed' });
  });

  it('takes a tensor through to the model and its logits back, bit for bit', async () => {
    const data = await readCropTensor(goldenPath('cat.crop.png'));
    const reference = await createOrtNodeSession(modelPath);
    const feeds = new Map([['data', { datatype: 'FP32', shape: [1, 3, 224, 224], data } as const]]);
    const expected = (await reference.run(feeds)).get('logits')!.data;
    await reference.close();
    const input = { name: 'data', shape: [1, 3, 224, 224], datatype: 'FP32', data: [...data] };
    const image = {
      name: 'data',
      shape: [1],
      datatype: 'BYTES',
      data: [Buffer.from(cat).toString('base64')],
    };
    for (const inputs of [[input], [image]]) {
      const response = await edge.fetch(`/v2/models/${heavy}/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ inputs }),
      });
      const { outputs } = (await response.json()) as { outputs: { data: number[] }[] };
      expect(new Float32Array(outputs[0]!.data)).toEqual(expected);
    }
    expect((await edge.fetch(`/v2/models/${heavy}/ready`)).status).toBe(200);
  });

  it('says what is wrong with an image as the edge would', async () => {
    for (const [body, status, code] of [
      [cat.subarray(0, cat.length / 2), 422, 'image_truncated'],
      [new Uint8Array(64), 415, 'image_format_unknown'],
    ] as const) {
      for (const model of [heavy, edgeModel]) {
        const response = await edge.fetch(`/v1/classify?model=${model}`, { method: 'POST', body });
        expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ code })]);
      }
    }
    const avif = await readFile(goldenPath('cat.avif'));
    const cut = new Uint8Array(avif.subarray(0, avif.length / 2));
    const response = await edge.fetch('/v1/classify', { method: 'POST', body: cut });
    expect([response.status, await response.json()]).toEqual([
      422,
      expect.objectContaining({ code: 'image_truncated' }),
    ]);
  });

  it.each(['down', 'status-500', 'busy', 'garbage', 'wrong-secret', 'silent'] as const)(
    'gets 503 and a time to come back when the tier is %s',
    async (fault) => {
      proxy.fault = fault;
      const response = await edge.fetch(`/v1/classify?model=${heavy}`, {
        method: 'POST',
        headers: { prefer: 'wait=2' },
        // Another question each time: answers are shared by those who ask at once.
        body: new Uint8Array([...cat, fault.length]),
      });
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ code: 'batch_tier_unavailable' });
      expect(Number(response.headers.get('retry-after'))).toBe(fault === 'busy' ? 2 : 5);
    },
  );

  it('does not let one that has no time spoil the answer for another that asks the same', async () => {
    proxy.fault = 'silent';
    const ask = (wait: number) =>
      edge.fetch(`/v1/classify?model=${heavy}`, {
        method: 'POST',
        headers: { prefer: `wait=${wait}` },
        body: new Uint8Array([...cat, 1, 2, 3]),
      });
    const hasty = ask(1);
    await expect.poll(() => proxy.requests).toBe(1);
    proxy.fault = 'none'; // for the next one; the first stays unanswered
    const patient = ask(10);
    expect((await hasty).status).toBe(503);
    expect((await patient).status).toBe(200);
  });

  it('counts what it gave away, and why', async () => {
    const read = async () => {
      const text = await (await edge.fetch('/metrics')).text();
      const count = (reason: string, outcome: string) =>
        Number(new RegExp(`\\{reason="${reason}",outcome="${outcome}"\\} (\\d+)\n`).exec(text)?.[1] ?? 0);
      return [
        count('model_requires_batch_tier', 'ok'),
        count('image_too_many_pixels', 'ok'),
        count('model_requires_batch_tier', 'batch_tier_unavailable'),
      ];
    };
    const before = await read();
    await classify(`model=${heavy}`, cat);
    await classify('top_k=1', await makeLargeAvif());
    proxy.fault = 'status-500';
    const refused = await edge.fetch(`/v1/classify?model=${heavy}`, { method: 'POST', body: cat });
    expect(refused.status).toBe(503);
    expect(await read()).toEqual(before.map((count) => count + 1));
  });

  it('is refused where the operator switched that off', async () => {
    for (const [query, body, code] of [
      [`model=${heavy}`, cat, 'model_requires_batch_tier'],
      ['', await makeLargeAvif(), 'image_too_many_pixels'],
    ] as const) {
      const response = await alone.fetch(`/v1/classify?${query}`, {
        method: 'POST',
        body: new Uint8Array(body),
      });
      expect(await response.json()).toMatchObject({ code });
    }
    expect(proxy.requests).toBe(0);
  });
});
