import { readFile } from 'node:fs/promises';
import { InferenceClient } from '@huggingface/inference';
import Cloudflare from 'cloudflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath, readCropTensor, readGoldenLogits } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const model = 'resnet18-imagenet1k';
const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge?.stop());

const post = async (path: string, body: BodyInit, headers: Record<string, string> = {}) => {
  const response = await edge.fetch(path, { method: 'POST', body, headers });
  // biome-ignore lint/suspicious/noExplicitAny: each test asserts the part of the answer that it reads.
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
};
const postJson = (path: string, body: unknown) =>
  post(path, JSON.stringify(body), { 'content-type': 'application/json' });

describe('Workers AI', () => {
  it('answers the official SDK', async () => {
    const client = new Cloudflare({ apiToken: 'any', baseURL: `${edge.url}/client/v4`, maxRetries: 0 });
    const result = await client.ai.run('@cf/microsoft/resnet-50', {
      account_id: 'account',
      image: Array.from(photo),
    });
    expect(result).toHaveLength(5);
    expect(result).toMatchObject([
      { label: 'Egyptian cat', score: expect.closeTo(0.4596, 3) },
      {},
      {},
      {},
      {},
    ]);
    await expect(
      client.ai.run('@cf/microsoft/resnet-50', { account_id: 'account', image: [1, 2, 3] }),
    ).rejects.toMatchObject({ status: 415, errors: [{ code: 415 }] });
  });
  it('answers the bare path with the bare list, to bytes and to arrays', async () => {
    const path = '/ai/run/@cf/microsoft/resnet-50';
    for (const { status, body } of [await post(path, photo), await postJson(path, { image: [...photo] })]) {
      expect(status).toBe(200);
      expect(body).toHaveLength(5);
      expect(Object.keys(body[0])).toEqual(['label', 'score']);
      expect(body[0].label).toBe('Egyptian cat');
    }
  });
  it('names the version that answers behind an alias', async () => {
    const response = await edge.fetch('/ai/run/@cf/microsoft/resnet-50', { method: 'POST', body: photo });
    expect(response.headers.get('x-model-version')).toBe('resnet18-imagenet1k/3');
    const { models } = (await (await edge.fetch('/v1/models')).json()) as { models: { aliases: string[] }[] };
    expect(models[0]!.aliases).toContain('@cf/microsoft/resnet-50');
  });
  it.each([
    ['no image', {}, 'json_invalid'],
    ['a number out of range', { image: [1, 256] }, 'json_invalid'],
    ['no bytes', { image: [] }, 'body_empty'],
    ['null', null, 'json_invalid'],
  ])('refuses %s in its own envelope', async (_, json, code) => {
    const { status, body } = await postJson('/client/v4/accounts/a/ai/run/@cf/microsoft/resnet-50', json);
    expect(status).toBe(400);
    expect(body).toMatchObject({ success: false, result: null, errors: [{ code: 400 }], messages: [], code });
  });
});

describe('Hugging Face', () => {
  it('answers the official client', async () => {
    const client = new InferenceClient('hf_any');
    const labels = await client.imageClassification({
      endpointUrl: `${edge.url}/models/microsoft/resnet-50`,
      data: new Blob([photo]),
    });
    expect(labels).toHaveLength(5);
    expect(labels[0]).toMatchObject({ label: 'Egyptian cat', score: expect.closeTo(0.4596, 3) });
    await expect(
      client.imageClassification({
        endpointUrl: `${edge.url}/models/${model}`,
        data: new Blob(['no image']),
      }),
    ).rejects.toThrow(/begin|format/i);
  });
  it('takes base64 and parameters', async () => {
    const inputs = Buffer.from(photo).toString('base64');
    const ask = async (parameters: object) =>
      (await postJson(`/models/${model}`, { inputs, parameters })).body as { label: string; score: number }[];
    const softmax = await ask({ top_k: 2 });
    expect(softmax).toHaveLength(2);
    const logits = await ask({ top_k: 2, function_to_apply: 'none' });
    const golden = (await readGoldenLogits()).cat;
    expect(logits[0]!.score).toBeCloseTo(Math.max(...golden), 1);
    const [sigmoid] = await ask({ top_k: 1, function_to_apply: 'sigmoid' });
    expect(sigmoid!.score).toBeCloseTo(1 / (1 + Math.exp(-logits[0]!.score)), 5);
    const { status, body } = await postJson(`/models/${model}`, { inputs, parameters: { top_k: 0 } });
    expect(status).toBe(400);
    expect(body.error).toContain('top_k');
  });
});

describe('Open Inference Protocol v2', () => {
  const infer = `/v2/models/${model}/infer`;

  it('tells what it is, what it has, and that it is ready', async () => {
    const read = async (path: string) => await (await edge.fetch(path)).json();
    expect(await read('/v2')).toMatchObject({ name: 'resnet-edge' });
    expect(await read('/v2/health/live')).toEqual({ live: true });
    expect(await read('/v2/health/ready')).toEqual({ ready: true });
    for (const path of [`/v2/models/${model}`, `/v2/models/${model}/versions/3`]) {
      expect(await read(path)).toMatchObject({
        name: model,
        versions: ['3'],
        inputs: [
          { name: 'data', datatype: 'FP32', shape: [-1, 3, 224, 224] },
          { name: 'data', datatype: 'UINT8', shape: [-1, 224, 224, 3] },
          { name: 'data', datatype: 'BYTES', shape: [-1] },
        ],
        outputs: [
          { datatype: 'FP32', shape: [-1, 1000] },
          { name: 'embedding', datatype: 'FP32', shape: [-1, -1] },
        ],
      });
      expect(await read(`${path}/ready`)).toMatchObject({ name: model, ready: true });
    }
    expect((await edge.fetch(`/v2/models/${model}/versions/9`)).status).toBe(404);
    expect(await read('/v2/models/none')).toMatchObject({ code: 'model_unknown', error: expect.any(String) });
  });

  it('runs FP32 tensors of the binary extension, two at once, to the golden logits', async () => {
    const tensors = [
      await readCropTensor(goldenPath('cat.crop.png')),
      await readCropTensor(goldenPath('coffee.crop.png')),
    ];
    const bytes = Buffer.concat(tensors.map(({ buffer }) => Buffer.from(buffer)));
    const header = JSON.stringify({
      id: 'my id',
      inputs: [
        {
          name: 'data',
          shape: [2, 3, 224, 224],
          datatype: 'FP32',
          parameters: { binary_data_size: bytes.length },
        },
      ],
      parameters: { binary_data_output: true },
    });
    const response = await edge.fetch(infer, {
      method: 'POST',
      body: Buffer.concat([Buffer.from(header), bytes]),
      headers: {
        'content-type': 'application/octet-stream',
        'inference-header-content-length': String(header.length),
      },
    });
    expect(response.status).toBe(200);
    const answer = Buffer.from(await response.arrayBuffer());
    const length = Number(response.headers.get('inference-header-content-length'));
    const json = JSON.parse(answer.subarray(0, length).toString());
    expect(json).toMatchObject({ id: 'my id', model_name: model, outputs: [{ shape: [2, 1000] }] });
    const logits = new Float32Array(new Uint8Array(answer.subarray(length)).buffer);
    const goldens = await readGoldenLogits();
    for (const [row, golden] of [goldens.cat, goldens.coffee].entries())
      for (const [index, value] of golden.entries())
        expect(Math.abs(logits[row * 1000 + index]! - value)).toBeLessThan(0.02);
  });

  it('takes image files as BYTES and answers with Triton’s classification', async () => {
    const { body } = await postJson(infer, {
      id: '7',
      inputs: [
        { name: 'data', shape: [1], datatype: 'BYTES', data: [Buffer.from(photo).toString('base64')] },
      ],
      outputs: [{ name: 'logits', parameters: { classification: 3 } }],
    });
    expect(body.id).toBe('7');
    expect(body.outputs[0]).toMatchObject({ datatype: 'BYTES', shape: [1, 3] });
    expect(body.outputs[0].data[0]).toMatch(/^\d+\.\d+:285:Egyptian cat$/);
  });

  it.each([
    ['the shape', { shape: [1, 3, 224, 225] }, /151200 elements, as the shape says, got: 1/],
    ['the datatype', { datatype: 'FP64' }, /datatype.*FP64/],
    ['the name', { name: 'image' }, /"data".*image/],
    [
      'an element',
      { shape: [1, 224, 224, 3], datatype: 'UINT8', data: [...new Array(150_527).fill(0), 999] },
      /data\[150527\].*999/,
    ],
  ])('names %s that is wrong', async (_, wrong, message) => {
    const input = { name: 'data', shape: [1], datatype: 'FP32', data: [0], ...wrong };
    const { status, body } = await postJson(infer, { inputs: [input] });
    expect(status).toBe(400);
    expect(body.error).toMatch(message);
    expect(body.code).toBe('tensor_invalid');
  });
});
