import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrtNodeSession } from '../../src/inference/ort-node.ts';
import {
  goldenNames,
  goldenPath,
  hasShared,
  modelPath,
  photoFiles,
  readCropTensor,
  readGoldenLogits,
  readSharedGoldens,
  sharedPath,
} from '../golden/golden.ts';
import { tiffOfStrips } from '../hostile/tiff-files.ts';
import { readPngCase } from '../image/fixtures.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

interface Prediction {
  readonly class_index: number;
  readonly wnid: string;
  readonly label: string;
  readonly score: number;
}

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({ bundle: 'whole' });
});
afterAll(() => edge?.stop());

const readPhoto = async (name: keyof typeof photoFiles) =>
  new Uint8Array(await readFile(goldenPath(photoFiles[name])));

async function post(query: string, init: RequestInit, path = '/v1/classify') {
  const response = await edge.fetch(`${path}${query}`, { method: 'POST', ...init });
  // biome-ignore lint/suspicious/noExplicitAny: each test asserts the part of the answer that it reads.
  return { response, body: (await response.json()) as any };
}

const postBytes = (
  bytes: Uint8Array<ArrayBuffer>,
  query = '',
  headers: HeadersInit = { 'content-type': 'image/jpeg' },
) => post(query, { body: bytes, headers });

/** Softmax keeps differences of logits: ln(score_a / score_b) = logit_a - logit_b. */
function expectScoresToMatchLogits(predictions: readonly Prediction[], logits: ReadonlyMap<number, number>) {
  const [first] = predictions;
  for (const { class_index, score } of predictions) {
    const expected = logits.get(class_index)! - logits.get(first!.class_index)!;
    expect(Math.abs(Math.log(score / first!.score) - expected)).toBeLessThan(0.02);
  }
}

describe('POST /v1/classify in workerd', () => {
  it.each(goldenNames)('gives the scores that onnxruntime-node and Pillow give for %s', async (name) => {
    const golden = (await readGoldenLogits())[name];
    const { response, body } = await postBytes(await readPhoto(name), '?top_k=10');
    expect(response.status).toBe(200);
    const best = golden.indexOf(Math.max(...golden));
    expect(body.predictions).toHaveLength(10);
    expect(body.predictions[0].class_index).toBe(best);
    expectScoresToMatchLogits(body.predictions, new Map(golden.entries()));
  });

  it.skipIf(!hasShared)(
    'gives the scores that onnxruntime-node and Pillow give for all 40 shared photos',
    async () => {
      const reference = await createOrtNodeSession(modelPath);
      for (const { image, crop } of await readSharedGoldens()) {
        const bytes = new Uint8Array(await readFile(sharedPath(`golden/${image}`)));
        const { body } = await postBytes(bytes, '?top_k=5');
        const data = await readCropTensor(sharedPath(`golden/${crop}`));
        const feeds = new Map([['data', { datatype: 'FP32', shape: [1, 3, 224, 224], data } as const]]);
        const logits = (await reference.run(feeds)).get('logits')!.data;
        expect(body.predictions[0].class_index, image).toBe(logits.indexOf(Math.max(...logits)));
        expectScoresToMatchLogits(body.predictions, new Map(logits.entries()));
      }
      await reference.close();
    },
  );

  it('answers with the documented shape', async () => {
    const { response, body } = await postBytes(await readPhoto('cat'), '', {
      'content-type': 'image/jpeg',
      'x-request-id': 'my-own-id',
    });
    expect(body).toMatchObject({
      id: 'my-own-id',
      model: 'resnet18-imagenet1k',
      model_version: '3',
      image: { format: 'jpeg', width: 451, height: 300 },
    });
    expect(Object.keys(body.predictions[0])).toEqual(['class_index', 'wnid', 'label', 'score']);
    expect(body.predictions[0]).toMatchObject({ class_index: 285, wnid: 'n02124075', label: 'Egyptian cat' });
    expect(body.predictions).toHaveLength(5);
    expect(response.headers.get('x-request-id')).toBe('my-own-id');
    for (const name of ['receive', 'model', 'decode', 'preprocess', 'inference']) {
      expect(response.headers.get('server-timing')).toMatch(new RegExp(`${name};dur=[0-9.]+`));
    }
  });

  it('says so where the pixels are not exactly those Pillow shows', async () => {
    // 1100 pixels a side are what decode=fast can spare some of; the cat has none to spare.
    const large = await sharp(await readPhoto('cat'))
      .resize(1200, 1100)
      .jpeg({ quality: 90 })
      .toBuffer();
    const imageOf = async (bytes: Uint8Array<ArrayBuffer>, query = '') =>
      (await postBytes(bytes, query)).body.image;
    expect(await imageOf(new Uint8Array(large))).toEqual({ format: 'jpeg', width: 1200, height: 1100 });
    expect(await imageOf(new Uint8Array(large), '?decode=fast')).toHaveProperty('approximate', true);
    expect(await imageOf(await readPhoto('cat'), '?decode=fast')).not.toHaveProperty('approximate');
  });

  it('says what is wrong with a file that it shows, and refuses it where the caller is strict', async () => {
    const damaged = readPngCase('crc-zero.png');
    const { response, body } = await postBytes(damaged);
    expect(response.status).toBe(200);
    expect(body.image).toEqual({
      format: 'png',
      width: 40,
      height: 30,
      warnings: ['png_checksum_mismatch'],
    });
    expect((await postBytes(damaged, '?strict=false')).body).toHaveProperty('image.warnings');
    expect((await postBytes(readPngCase('intact.png'))).body).not.toHaveProperty('image.warnings');

    const form = new FormData();
    form.set('strict', 'true');
    form.set('image', new Blob([damaged]));
    const json = JSON.stringify({ image: Buffer.from(damaged).toString('base64'), strict: true });
    const strict = [
      { path: '/v1/classify?strict=true', init: { body: damaged } },
      { path: '/v1/classify', init: { body: form } },
      { path: '/v1/classify', init: { body: json, headers: { 'content-type': 'application/json' } } },
    ];
    for (const { path, init } of strict) {
      const refused = await edge.fetch(path, { method: 'POST', ...init });
      expect(refused.status).toBe(422);
      expect(await refused.json()).toMatchObject({ code: 'image_malformed' });
    }
  });

  it('reads a TIFF of thousands of strips', async () => {
    const row = crypto.getRandomValues(new Uint8Array(3000));
    const tiff = tiffOfStrips(row, 3000, true);
    const { body } = await postBytes(new Uint8Array(tiff));
    expect(body.image).toEqual({ format: 'tiff', width: 3000, height: 3000 });
  });

  it('makes a request id of its own when it gets none, or a dangerous one', async () => {
    const { response } = await postBytes(await readPhoto('cat'), '', { 'x-request-id': 'a'.repeat(65) });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('scores of all 1000 classes sum to 1, highest first', async () => {
    const { body } = await postBytes(await readPhoto('cat'), '?top_k=1000');
    const scores: number[] = body.predictions.map(({ score }: Prediction) => score);
    expect(new Set(body.predictions.map(({ class_index }: Prediction) => class_index)).size).toBe(1000);
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 4);
    expect([...scores].sort((a, b) => b - a)).toEqual(scores);
  });

  it.each(['application/octet-stream', 'application/x-www-form-urlencoded', 'image/png', ''])(
    'takes raw bytes sent as "%s" and looks at the bytes, not at the type',
    async (type) => {
      const { response, body } = await postBytes(
        await readPhoto('cat'),
        '',
        type ? { 'content-type': type } : {},
      );
      expect(response.status).toBe(200);
      expect(body.image.format).toBe('jpeg');
    },
  );

  it('takes base64 and data: URLs in JSON, options in the body', async () => {
    const base64 = Buffer.from(await readPhoto('coffee')).toString('base64');
    for (const image of [base64, `data:image/png;base64,${base64}`]) {
      const { response, body } = await post('?top_k=9', {
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify({ image, top_k: 2, model: 'resnet18-imagenet1k' }),
      });
      expect(response.status).toBe(200);
      expect(body.predictions).toHaveLength(2);
      expect(body.predictions[0].label).toBe('espresso');
    }
  });

  it('takes one file of a multipart form like raw bytes', async () => {
    const form = new FormData();
    form.append('image', new Blob([await readPhoto('cat')]), 'cat.jpg');
    form.append('top_k', '1');
    const { body } = await post('', { body: form });
    expect(body.predictions).toHaveLength(1);
    expect(body.predictions[0].label).toBe('Egyptian cat');
  });

  it('has results for a form of one file too, and takes a field that nobody filled in for no field', async () => {
    const form = new FormData();
    form.append('image', new Blob([await readPhoto('cat')]), 'cat.jpg');
    // Kotlin's generated clients and HTML forms send these.
    for (const name of ['model', 'orientation', 'decode', 'strict']) form.append(name, '');
    form.append('top_k', '1');
    const { body } = await post('', { body: form }, '/v1/classify/form');
    expect(body).toMatchObject({ model: 'resnet18-imagenet1k', model_version: '3' });
    expect(body.results).toMatchObject([
      { index: 0, name: 'cat.jpg', predictions: [{ label: 'Egyptian cat' }] },
    ]);
  });

  it('takes a truth value as Python writes it', async () => {
    const { body } = await postBytes(await readPhoto('cat'), '?strict=False&top_k=1');
    expect(body.predictions).toHaveLength(1);
  });

  it('gives each of several files its own predictions or its own problem', async () => {
    const form = new FormData();
    form.append('image', new Blob([await readPhoto('cat')]), 'cat.jpg');
    form.append('image', new Blob(['not an image']), 'broken.jpg');
    form.append('image', new Blob([]), 'empty.jpg');
    form.append('image', new Blob([await readPhoto('rocket')]), 'rocket.jpg');
    const { response, body } = await post('', { body: form }, '/v1/classify/form');
    expect(response.status).toBe(200);
    expect(body.results.map(({ name }: { name: string }) => name)).toEqual([
      'cat.jpg',
      'broken.jpg',
      'empty.jpg',
      'rocket.jpg',
    ]);
    expect(body.results[0].predictions[0].label).toBe('Egyptian cat');
    expect(body.results[1].problem).toMatchObject({ code: 'image_format_unknown', status: 415 });
    expect(body.results[2].problem).toMatchObject({ code: 'body_empty', status: 400 });
    expect(body.results[3].predictions[0].label).toBe('missile');
  });

  it('takes 16 files', async () => {
    const form = new FormData();
    const photo = await readPhoto('cat');
    for (let index = 0; index < 16; index++) form.append('image', new Blob([photo]), `${index}.jpg`);
    const { body } = await post('?top_k=1', { body: form }, '/v1/classify/form');
    expect(body.results).toHaveLength(16);
    for (const { predictions } of body.results) expect(predictions[0].label).toBe('Egyptian cat');
  });
});

describe('models and health', () => {
  it('lists models and describes one', async () => {
    expect(await (await edge.fetch('/v1/models')).json()).toEqual({
      models: [
        {
          name: 'resnet18-imagenet1k',
          version: '3',
          default: true,
          aliases: ['@cf/microsoft/resnet-50', 'microsoft/resnet-50'],
        },
      ],
    });
    expect(await (await edge.fetch('/v1/models/resnet18-imagenet1k')).json()).toMatchObject({
      name: 'resnet18-imagenet1k',
      version: '3',
      runtime: 'resnet-int8',
      datatype: 'int8',
      input: { name: 'data', shape: [1, 3, 224, 224] },
      preprocess: { resize_shortest_edge: 256, center_crop: 224, interpolation: 'bilinear' },
      licence: 'MIT',
      tier: 'edge',
    });
  });

  it('is live and ready', async () => {
    expect(await (await edge.fetch('/v1/health/live')).json()).toEqual({ status: 'live' });
    const ready = await edge.fetch('/v1/health/ready');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: 'ready', loaded_models: ['resnet18-imagenet1k/3'] });
  });
});
