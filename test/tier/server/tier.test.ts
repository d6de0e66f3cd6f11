import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrtNodeSession } from '../../../src/inference/ort-node.ts';
import { maxTierJsonBytes, maxTierTensorBytes } from '../../../src/limits.ts';
import { chunkMediaType } from '../../../src/protocol/tier/chunk-format.ts';
import { goldenNames, goldenPath, modelPath, photoFiles, readCropTensor } from '../../golden/golden.ts';
import { spawnTier, startTier, type TierProcess } from './tier-process.ts';

const model = 'resnet18-imagenet1k';

function toChunk(head: object, items: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = [Buffer.from(`${JSON.stringify(head)}\n`)];
  for (const [index, bytes] of items.entries()) {
    parts.push(Buffer.from(`${JSON.stringify({ index, bytes: bytes.byteLength })}\n`), Buffer.from(bytes));
  }
  return new Uint8Array(Buffer.concat(parts));
}

describe('the Node tier', () => {
  let tier: TierProcess;
  beforeAll(async () => {
    tier = await startTier({ TIER_MAX_QUEUE_ITEMS: '64', TIER_MAX_QUEUE_DELAY_MS: '50' });
  });
  afterAll(() => tier?.stop());

  const send = async (body: Uint8Array<ArrayBuffer>, init: RequestInit = {}) =>
    await tier.fetch('/v1/chunks', {
      method: 'POST',
      body,
      ...init,
      headers: { 'content-type': chunkMediaType, ...init.headers },
    });
  const readCounts = async () => {
    const metrics = await (await tier.fetch('/metrics')).text();
    const read = (name: string) => Number(new RegExp(`^${name}\\{.* (\\d+)`, 'm').exec(metrics)?.[1] ?? 0);
    return {
      succeeded: read('nv_inference_request_success'),
      failed: read('nv_inference_request_failure'),
    };
  };
  const cat = () => readFile(goldenPath(photoFiles.cat));
  const readPending = async () => {
    const metrics = await (await tier.fetch('/metrics')).text();
    return Number(/^nv_inference_pending_request_count.* (\d+)$/m.exec(metrics)![1]);
  };

  it('computes on the very tensor of the edge: logits of a photo are, bit for bit, those of Pillow’s crop', async () => {
    // onnxruntime-node runs it on both sides; only the pixels could differ, and must not.
    const reference = await createOrtNodeSession(modelPath);
    for (const name of goldenNames) {
      const bytes = (await readFile(goldenPath(photoFiles[name]))).toString('base64');
      const response = await tier.fetch(`/v2/models/${model}/versions/3/infer`, {
        method: 'POST',
        body: JSON.stringify({
          id: name,
          inputs: [{ name: 'data', shape: [1], datatype: 'BYTES', data: [bytes] }],
        }),
      });
      const answer = (await response.json()) as { id: string; outputs: { data: number[] }[] };
      expect(answer.id).toBe(name);
      const data = await readCropTensor(goldenPath(`${name}.crop.png`));
      const feeds = new Map([['data', { datatype: 'FP32', shape: [1, 3, 224, 224], data } as const]]);
      const logits = (await reference.run(feeds)).get('logits')!.data;
      expect(new Float32Array(answer.outputs[0]!.data)).toEqual(logits);
    }
    await reference.close();
  });

  it('answers a chunk, AVIF and HEIC too, and says of each item what became of it', async () => {
    const avif = await readFile(goldenPath('cat.avif'));
    const heic = await readFile(new URL('../../fixtures/heif-cases/turned-6.heic', import.meta.url));
    const response = await send(
      toChunk({ model, top_k: 2, items: 4 }, [await cat(), avif, Buffer.from('no'), heic]),
    );
    expect(response.status).toBe(200);
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toEqual({ end: true });
    const byIndex = new Map(lines.slice(0, -1).map((line) => [line.index, line]));
    expect(byIndex.get(0)).toMatchObject({
      model_version: '3',
      tier: 'node',
      predictions: [{ label: 'Egyptian cat' }, {}],
    });
    expect(byIndex.get(0).image).not.toHaveProperty('approximate');
    expect(byIndex.get(1)).toMatchObject({
      image: { approximate: true },
      predictions: [{ label: 'Egyptian cat' }, {}],
    });
    expect(byIndex.get(2)).toMatchObject({ problem: { code: 'image_format_unknown' } });
    expect(byIndex.get(3)).toMatchObject({ image: { format: 'heic', width: 116, height: 150 } });
    expect(byIndex.get(3).image).not.toHaveProperty('approximate');
  });

  it('gives the room of chunks that have stopped coming to others, until they go on', async () => {
    const photo = await cat();
    const stalled = [1, 2].map(() => {
      let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
      const body = new ReadableStream<Uint8Array>({
        start(given) {
          controller = given;
          given.enqueue(new TextEncoder().encode(`${JSON.stringify({ model, top_k: 1, items: 60 })}\n`));
        },
      });
      const answer = tier.fetch('/v1/chunks', {
        method: 'POST',
        body,
        headers: { 'content-type': chunkMediaType },
        ...({ duplex: 'half' } as object),
      });
      return {
        answer,
        end: (bytes: Uint8Array) => {
          controller?.enqueue(bytes);
          controller?.close();
        },
      };
    });
    // The second was too many until the first had stalled.
    const whole = toChunk({ model, top_k: 1, items: 1 }, [photo]);
    await expect.poll(async () => (await send(whole)).status, { timeout: 20_000 }).toBe(200);
    expect((await (await send(whole)).text()).trim().split('\n')).toHaveLength(2);
    const rest = whole.subarray(whole.indexOf(0x0a) + 1);
    for (const { end } of stalled) end(rest);
    for (const { answer } of stalled) {
      const response = await answer;
      if (response.status === 200) expect(await response.text()).toContain('Egyptian cat');
      else expect(response.status).toBe(503);
    }
  });

  it('refuses a version that there is not, and JSON that is large or costs much', async () => {
    const response = await send(toChunk({ model, model_version: '99', top_k: 1, items: 1 }, [await cat()]));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'model_unknown' });
    const infer = (body: string) => tier.fetch(`/v2/models/${model}/infer`, { method: 'POST', body });
    expect(await (await infer(`{"inputs":[${'[],'.repeat(1_000_000)}[]]}`)).json()).toMatchObject({
      code: 'json_invalid',
      detail: expect.stringContaining('arrays'),
    });
    expect(await (await infer(' '.repeat(maxTierJsonBytes + 1))).json()).toMatchObject({
      code: 'body_too_large',
    });
  });

  it('gathers images into batches where the graph takes them, and counts both', async () => {
    const photo = await cat();
    const items = Array.from({ length: 48 }, () => photo);
    await (await send(toChunk({ model, model_version: '3', top_k: 1, items: 48 }, items))).text();
    const metrics = await (await tier.fetch('/metrics')).text();
    const read = (name: string) =>
      Number(new RegExp(`^${name}\\{.*version="3"\\} (\\d+)`, 'm').exec(metrics)![1]);
    expect(read('nv_inference_count')).toBeGreaterThanOrEqual(48);
    expect(read('nv_inference_exec_count')).toBeLessThan(read('nv_inference_count') / 3);
    expect(read('nv_inference_request_success')).toBeGreaterThanOrEqual(48);
    expect(read('nv_inference_queue_duration_us')).toBeGreaterThan(0);
    const ready = await (await tier.fetch('/v1/health/ready')).json();
    expect(ready).toMatchObject({
      models: [{ version: '3', execution_provider: 'cpu', max_batch_size: 16 }],
    });
  });

  it('refuses what it has no room for, saying when it may have', async () => {
    const photo = await cat();
    const items = Array.from({ length: 60 }, () => photo);
    const first = send(toChunk({ model, top_k: 1, items: 60 }, items));
    const response = await first;
    const refused = await send(toChunk({ model, top_k: 1, items: 60 }, [photo]));
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: 'tier_busy' });
    expect((await response.text()).trim().split('\n')).toHaveLength(61);
  });

  it('holds no more bodies of tensors than it has room for: the next waits until one has gone', async () => {
    const { port } = new URL(tier.url);
    const stalled = Array.from({ length: 4 }, () => {
      const call = request({
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `/v2/models/${model}/infer`,
        headers: { authorization: `Bearer ${tier.secret}`, 'content-length': maxTierTensorBytes },
      });
      const written = new Promise((resolve) => call.on('error', () => undefined).write('{', resolve));
      return { call, written };
    });
    await Promise.all(stalled.map(({ written }) => written));
    // What comes after them has been answered: they are there.
    await tier.fetch('/v1/health/live');
    let answered = false;
    const inputs = [
      { name: 'data', shape: [1], datatype: 'BYTES', data: [(await cat()).toString('base64')] },
    ];
    const asking = tier
      .fetch(`/v2/models/${model}/infer`, { method: 'POST', body: JSON.stringify({ inputs }) })
      .finally(() => {
        answered = true;
      });
    // The same work, begun after it, without a tensor's body.
    await (await send(toChunk({ model, top_k: 1, items: 1 }, [await cat()]))).text();
    expect(answered).toBe(false);
    for (const { call } of stalled) call.destroy();
    expect((await asking).status).toBe(200);
  });

  it.each<[string, Uint8Array<ArrayBuffer>, number]>([
    ['nothing', new Uint8Array(), 400],
    ['no JSON', new TextEncoder().encode('x\n'), 400],
    ['a head without end', new TextEncoder().encode('x'.repeat(5000)), 400],
    ['an unknown model', toChunk({ model: 'none', top_k: 1, items: 1 }, []), 404],
    ['a wrong number', toChunk({ model, top_k: 0, items: 1 }, []), 400],
  ])('refuses %s', async (_, body, status) => {
    expect((await send(body)).status).toBe(status);
  });

  it('drops what waits to be decoded when whoever asked has gone', async () => {
    const large = await sharp(await cat())
      .resize(4000, 3000, { fit: 'fill' })
      .avif({ effort: 0 })
      .toBuffer();
    const gone = new AbortController();
    const asked = Array.from({ length: 32 }, () =>
      send(toChunk({ model, top_k: 1, items: 1 }, [large]), { signal: gone.signal })
        .then((response) => response.text())
        .catch(() => 'gone'),
    );
    const before = await readCounts();
    await expect.poll(readPending, { interval: 20 }).toBeGreaterThan(16);
    gone.abort();
    await Promise.all(asked);
    await expect.poll(readPending, { interval: 20 }).toBe(0);
    const after = await readCounts();
    // What a thread is at goes on to its end.
    expect(after.failed - before.failed).toBeGreaterThan(8);
    expect(after.succeeded - before.succeeded).toBeLessThan(24);
  });

  it('lets nobody in without the secret, and everybody see its health', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${tier.secret}`]) {
      expect((await send(new Uint8Array([1]), { headers: { authorization } })).status).toBe(401);
      expect((await tier.fetch('/metrics', { headers: { authorization } })).status).toBe(401);
    }
    expect((await fetch(`${tier.url}/v1/health/live`)).status).toBe(200);
  });

  it('ends what it has begun when it is told to stop, and takes nothing new', async () => {
    const photo = await cat();
    const answer = await send(
      toChunk(
        { model, top_k: 1, items: 30 },
        Array.from({ length: 30 }, () => photo),
      ),
    );
    const stopped = tier.stop('SIGTERM');
    const lines = (await answer.text()).trim().split('\n');
    expect(lines).toHaveLength(31);
    expect(await stopped).toBe(0);
  });
});

describe('a start that cannot keep its word', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a GPU that is missing',
      { TIER_EXECUTION_PROVIDERS: 'cuda,cpu', TIER_PRELOAD: `${model}/3` },
      /cannot be run by cuda/,
    ],
    ['no secret', { TIER_SECRET: '' }, /TIER_SECRET/],
    ['a model that is not there', { TIER_PRELOAD: 'none' }, /No model is named "none"/],
  ])('ends with %s', async (_, env, message) => {
    const tier = spawnTier(env);
    expect(await tier.exited).toBe(1);
    expect(tier.output()).toMatch(message);
  });

  it('falls back to the CPU where that is allowed in writing, and says so', async () => {
    const tier = await startTier({
      TIER_EXECUTION_PROVIDERS: 'cuda,cpu',
      TIER_ALLOW_FALLBACK: 'yes',
      TIER_PRELOAD: `${model}/3`,
    });
    expect(tier.output()).toMatch(/"model":"resnet18-imagenet1k\/3","execution_provider":"cpu"/);
    await tier.stop();
  });
});
