import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

/** What real clients send, though no document of ours says so: each form stands for its kind. */
const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
const base64 = Buffer.from(photo).toString('base64');
const secret = 'a secret typed into a form';
const svixSecret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
const sources = [
  { name: 'forge', kind: 'github', secrets: ['FORGE_SECRET'], image_url: '/release/picture' },
  { name: 'shop', kind: 'standard', secrets: ['SHOP_SECRET'], image_url: '/picture' },
];

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({
    vars: { WEBHOOK_SOURCES: JSON.stringify(sources) },
    secrets: { FORGE_SECRET: secret, SHOP_SECRET: svixSecret },
  });
});
afterAll(() => edge?.stop());

const post = async (path: string, body: BodyInit, headers: Record<string, string>) => {
  const response = await edge.fetch(path, { method: 'POST', body, headers });
  // biome-ignore lint/suspicious/noExplicitAny: each test asserts the part of the answer that it reads.
  return { status: response.status, headers: response.headers, json: (await response.json()) as any };
};
const classify = (body: BodyInit, headers: Record<string, string>) =>
  post('/v1/classify?top_k=1', body, headers);
const classifyJson = (json: object) => classify(JSON.stringify(json), { 'content-type': 'application/json' });

function expectCat({ status, json }: { status: number; json: unknown }): void {
  expect(json).toMatchObject({ predictions: [{ label: 'Egyptian cat' }] });
  expect(status).toBe(200);
}

const countImages = ({ counts }: { counts: { total: number } }) => counts.total;

/** @param head the header of the one part, in Latin-1. */
function writeForm(head: string, { before = '', boundary = 'x' } = {}): Uint8Array<ArrayBuffer> {
  return Buffer.concat([
    Buffer.from(`${before}--${boundary}\r\n${head}\r\n\r\n`, 'latin1'),
    photo,
    Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'),
  ]);
}
const form = { 'content-type': 'multipart/form-data; boundary=x' };
const part = 'Content-Disposition: form-data; name="image"; filename="cat.jpg"\r\nContent-Type: image/jpeg';

describe('forms', () => {
  it('take a part of an image type for a file, though it has no name (React Native, old iOS code)', async () => {
    expectCat(
      await classify(
        writeForm('Content-Disposition: form-data; name="image"\r\nContent-Type: image/jpeg'),
        form,
      ),
    );
  });
  it('take file names in Latin-1', async () => {
    const head =
      'Content-Disposition: form-data; name="image"; filename="K\xe4tzchen.jpg"\r\nContent-Type: image/jpeg';
    const two = Buffer.concat([writeForm(head).subarray(0, -7), writeForm(part, { before: '\r\n' })]);
    const { status, json } = await post('/v1/classify/form', two, form);
    expect(status).toBe(200);
    expect(json.results.map(({ name }: { name: string }) => name)).toEqual(['Kätzchen.jpg', 'cat.jpg']);
  });
  it.each([
    ['a line break', '\r\n'],
    ['a text', 'This is a message with multiple parts.\r\nIt begins below.\r\n'],
  ])('skip %s before the first boundary (RFC 2046, 5.1.1)', async (_, before) => {
    expectCat(await classify(writeForm(part, { before }), form));
    const batch = await post('/v1/batches', writeForm(part, { before }), form);
    expect(countImages(batch.json)).toBe(1);
    expect(batch.status).toBe(202);
  });
  it('refuse a preamble without end', async () => {
    const body = writeForm(part, { before: `${'x'.repeat(20_000)}\r\n` });
    for (const path of ['/v1/classify', '/v1/batches']) {
      expect((await post(path, body, form)).json).toMatchObject({ status: 400, code: 'multipart_invalid' });
    }
  });
  it('take a nameless image and a Latin-1 name in a batch too', async () => {
    for (const head of [
      'Content-Disposition: form-data; name="image"\r\nContent-Type: image/jpeg',
      'Content-Disposition: form-data; name="image"; filename="K\xe4tzchen.jpg"',
    ]) {
      expect(countImages((await post('/v1/batches', writeForm(head), form)).json)).toBe(1);
    }
  });
});

describe('bodies', () => {
  it.each(['binary/octet-stream', '*/*', 'text/plain', 'text/plain; charset=utf-8'])(
    'that are an image are taken as %s',
    async (type) => expectCat(await classify(photo, { 'content-type': type })),
  );
  it('that are a text are refused by what they are', async () => {
    const text = await classify('hello', { 'content-type': 'text/plain' });
    expect(text.json).toMatchObject({ status: 415, code: 'image_format_unknown' });
    const json = await classify('{"url":"https://x.example/"}', { 'content-type': 'text/plain' });
    expect(json.json).toMatchObject({ status: 415, code: 'media_type_unsupported' });
  });
  it.each([
    `DATA:image/jpeg;base64,${base64}`,
    `data:image/jpeg; base64,${base64}`,
    ` data:image/jpeg;BASE64,${base64}`,
    `data:;base64,${base64}`,
    `data:image/jpeg;base64,${base64.replaceAll('+', '%2B').replaceAll('/', '%2f')}`,
  ])('hold data: URLs as the URL Standard reads them (%.24s)', async (image) => {
    expectCat(await classifyJson({ image, top_k: 1 }));
  });
  it('may say null for what they do not have', async () => {
    expectCat(await classifyJson({ image: base64, url: null, r2_key: null, model: null, top_k: 1 }));
    expect((await classifyJson({ image: null, url: null })).json).toMatchObject({ code: 'json_invalid' });
  });
});

describe('packed bodies', () => {
  const infer = '/v2/models/resnet18-imagenet1k/infer';
  const tensor = JSON.stringify({
    inputs: [{ name: 'data', shape: [1], datatype: 'BYTES', data: [base64] }],
    outputs: [{ name: 'logits', parameters: { classification: 1 } }],
  });
  it.each([
    ['gzip', gzipSync(tensor)],
    ['deflate', deflateSync(tensor)],
  ])('are unpacked: %s, as tritonclient sends it', async (coding, body) => {
    const { status, json } = await post(infer, body, {
      'content-type': 'application/json',
      'content-encoding': coding,
    });
    expect(status).toBe(200);
    expect(json.outputs[0].data[0]).toMatch(/:285:Egyptian cat$/);
  });
  it('end at the limit of any other body, and say if they are not what they are called', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const bomb = await classify(gzipSync(new Uint8Array(64 * 1024 * 1024)), headers);
    expect(bomb.json).toMatchObject({ status: 413, code: 'body_too_large' });
    expect((await classify(photo, headers)).json).toMatchObject({ status: 400, code: 'body_aborted' });
    expect((await classify(photo, { 'content-encoding': 'br' })).json).toMatchObject({ status: 415 });
  });
});

describe('Open Inference', () => {
  it('says "error" at every path below /v2', async () => {
    for (const [path, method, status] of [
      ['/v2/nothing/here', 'GET', 404],
      ['/v2/models/none', 'GET', 404],
      ['/v2/models/resnet18-imagenet1k/infer', 'GET', 405],
    ] as const) {
      const response = await edge.fetch(path, { method });
      expect([response.status, await response.json()], path).toEqual([
        status,
        expect.objectContaining({ error: expect.any(String) }),
      ]);
    }
  });
  it('has the configuration and the statistics that tritonclient asks for', async () => {
    const read = async (path: string) =>
      await (await edge.fetch(`/v2/models/resnet18-imagenet1k${path}`)).json();
    expect(await read('/config')).toMatchObject({
      name: 'resnet18-imagenet1k',
      max_batch_size: 16,
      input: [{ name: 'data', data_type: 'TYPE_FP32', dims: [3, 224, 224] }],
      output: [{ name: 'logits', data_type: 'TYPE_FP32', dims: [1000] }],
    });
    const count = async () =>
      ((await read('/stats')) as { model_stats: [{ inference_count: number }] }).model_stats[0]
        .inference_count;
    const before = await count();
    await classify(photo, {});
    expect(await count()).toBe(before + 1);
    expect(await read('')).toMatchObject({
      inputs: [{ datatype: 'FP32' }, { datatype: 'UINT8' }, { name: 'data', datatype: 'BYTES', shape: [-1] }],
    });
  });
});

describe('webhooks', () => {
  const sign = (body: string) => ({
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  });
  it('of GitHub may come as a form', async () => {
    const event = JSON.stringify({ release: { picture: 'https://pictures.example/cat.jpg' } });
    const body = new URLSearchParams({ payload: event }).toString();
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-github-event': 'release',
      ...sign(body),
    };
    const taken = await post('/v1/webhooks/forge', body, headers);
    expect(taken.json).toMatchObject({ replayed: false });
    expect(taken.status).toBe(202);
  });
  it('of GitHub begin with a ping, which is answered and classifies nothing', async () => {
    const body = JSON.stringify({ zen: 'Keep it logically awesome.', hook_id: 1 });
    const headers = { 'content-type': 'application/json', 'x-github-event': 'ping', ...sign(body) };
    const pong = await post('/v1/webhooks/forge', body, headers);
    expect(pong.status).toBe(200);
    expect(pong.json).not.toHaveProperty('batch_id');
    const unsigned = await post('/v1/webhooks/forge', body, { ...headers, ...sign('another body') });
    expect(unsigned.json).toMatchObject({ status: 401, code: 'webhook_signature_invalid' });
  });
  it('of Svix carry its own names for the headers', async () => {
    const body = JSON.stringify({ picture: 'https://pictures.example/dog.jpg' });
    const timestamp = Math.floor(Date.now() / 1000);
    const key = Buffer.from(svixSecret.slice('whsec_'.length), 'base64');
    const mac = createHmac('sha256', key).update(`msg_1.${timestamp}.${body}`).digest('base64');
    const taken = await post('/v1/webhooks/shop', body, {
      'content-type': 'application/json',
      'svix-id': 'msg_1',
      'svix-timestamp': String(timestamp),
      'svix-signature': `v1,${mac}`,
    });
    expect(taken.json).toMatchObject({ event_id: 'msg_1' });
    expect(taken.status).toBe(202);
  });
});

it('a sigmoid that is 1 for several labels keeps their order', async () => {
  const { json } = await post(
    '/models/resnet18-imagenet1k',
    JSON.stringify({ inputs: base64, parameters: { function_to_apply: 'sigmoid', top_k: 3 } }),
    { 'content-type': 'application/json' },
  );
  expect(json.map(({ label }: { label: string }) => label)).toEqual(['Egyptian cat', 'tabby', 'tiger cat']);
});
