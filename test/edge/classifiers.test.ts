import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutPhoto, type Subject } from './cut-photo.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const hash = (key: string) => createHash('sha256').update(key).digest('hex');
const apiKeys = JSON.stringify([
  { id: 'shop', sha256: hash('shop key'), scopes: ['classify', 'teach'] },
  { id: 'other', sha256: hash('other key'), scopes: ['classify', 'teach'] },
  { id: 'app', sha256: hash('app key'), scopes: ['classify'] },
]);
const photosPerClass = 5;

let edge: EdgeServer;
let images: Server;
let origin: string;

beforeAll(async () => {
  images = createServer((request, response) => {
    const [, subject, index] = /^\/(cat|coffee|rocket)(\d+)\.jpg/.exec(request.url ?? '') ?? [];
    if (subject === undefined) response.writeHead(404).end();
    else void cutPhoto(subject as Subject, Number(index)).then((photo) => response.end(photo));
  });
  await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(images.address() as AddressInfo).port}`;
  edge = await startEdge({
    vars: {
      PUBLIC_SCOPES: 'classify,teach,admin',
      IMAGE_URL_ALLOW: origin,
      CATALOG_TTL_SECONDS: '0',
      BATCH_RETRY_BASE_SECONDS: '0',
      BATCH_STALL_SECONDS: '1',
    },
    secrets: { API_KEYS: apiKeys },
  });
}, 60_000);
afterAll(async () => {
  await edge?.stop();
  images?.closeAllConnections();
  images?.close();
});

// biome-ignore lint/suspicious/noExplicitAny: each test asserts the part of the answer that it reads.
type Json = any;

async function call(method: string, path: string, body?: object | FormData, key?: string) {
  const isForm = body instanceof FormData;
  const response = await edge.fetch(path, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: (text === '' ? undefined : JSON.parse(text)) as Json };
}

async function createClassifier(classes: readonly string[] = [], key?: string): Promise<string> {
  const { status, json } = await call('POST', '/v1/classifiers', { name: 'Things', classes }, key);
  expect(status).toBe(201);
  return json.id;
}

async function addPhotos(
  id: string,
  label: string,
  subject: Subject,
  indices: readonly number[],
  key?: string,
) {
  const form = new FormData();
  form.set('class', label);
  for (const index of indices) {
    form.append(
      'image',
      new File([new Uint8Array(await cutPhoto(subject, index))], `${subject}${index}.jpg`),
    );
  }
  return await call('POST', `/v1/classifiers/${id}/examples`, form, key);
}

const firstPhotos = Array.from({ length: photosPerClass }, (_, index) => index);

/** A classifier with photos of a cat and of coffee. */
async function fillClassifier(key?: string): Promise<string> {
  const id = await createClassifier(['cat', 'coffee'], key);
  for (const subject of ['cat', 'coffee'] as const)
    expect((await addPhotos(id, subject, subject, firstPhotos, key)).status).toBe(200);
  return id;
}

/** Polls until the version is no longer training. */
async function waitForVersion(id: string, version: number, key?: string): Promise<Json> {
  return await waitFor(
    async () => (await call('GET', `/v1/classifiers/${id}/versions/${version}`, undefined, key)).json,
    ({ state }) => state === 'ready' || state === 'failed',
  );
}

async function waitFor(read: () => Promise<Json>, isDone: (json: Json) => boolean): Promise<Json> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const json = await read();
    if (isDone(json)) return json;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(json)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function classify(model: string, subject: Subject, index: number) {
  const response = await edge.fetch(`/v1/classify?model=${model}`, {
    method: 'POST',
    body: new Uint8Array(await cutPhoto(subject, index)),
  });
  return { status: response.status, json: (await response.json()) as Json };
}

describe('a classifier', () => {
  it('learns classes from photos and answers under its id', async () => {
    const id = await fillClassifier();
    expect((await classify(id, 'cat', 9)).json).toMatchObject({ status: 404, code: 'model_unknown' });
    const { status, json: training } = await call('POST', `/v1/classifiers/${id}/train`);
    expect(status).toBe(202);
    expect(training).toMatchObject({ version: 1, state: 'training' });
    const version = await waitForVersion(id, 1);
    expect(version).toMatchObject({ state: 'ready', classes: 2, examples: 2 * photosPerClass });
    expect(version.report.per_class.map(({ label }: Json) => label)).toEqual(['cat', 'coffee']);
    for (const subject of ['cat', 'coffee'] as const) {
      const { json } = await classify(id, subject, 11);
      expect(json).toMatchObject({ model: id, model_version: '1', predictions: [{ label: subject }, {}] });
    }
    const { json } = await call('GET', `/v1/classifiers/${id}`);
    expect(json).toMatchObject({
      name: 'Things',
      model: id,
      base: { name: 'resnet18-imagenet1k' },
      classes: [
        { name: 'cat', examples: photosPerClass },
        { name: 'coffee', examples: photosPerClass },
      ],
      version: 1,
      stale: false,
    });
  });

  it('says “unknown” of what is none of its classes', async () => {
    const id = await fillClassifier();
    await call('POST', `/v1/classifiers/${id}/train`);
    await waitForVersion(id, 1);
    expect((await classify(id, 'cat', 9)).json.unknown).toBeUndefined();
    expect((await classify(id, 'rocket', 0)).json.unknown).toBe(true);
  });

  it('keeps a photo once, moves it to another class, and forgets it', async () => {
    const id = await createClassifier();
    const { json: added } = await addPhotos(id, 'cat', 'cat', [0, 1]);
    expect(added.results.map(({ duplicate }: Json) => duplicate)).toEqual([false, false]);
    const { json: again } = await addPhotos(id, 'cat', 'cat', [1]);
    expect(again.results[0]).toMatchObject({ id: added.results[1].id, duplicate: true });
    const { json: moved } = await addPhotos(id, 'pet', 'cat', [1]);
    expect(moved.classifier.classes).toEqual([
      { name: 'cat', examples: 1 },
      { name: 'pet', examples: 1 },
    ]);
    const example = `/v1/classifiers/${id}/examples/${added.results[0].id}`;
    expect((await call('DELETE', example)).status).toBe(204);
    expect((await call('DELETE', example)).json).toMatchObject({ code: 'example_unknown' });
    const { json: left } = await call('GET', `/v1/classifiers/${id}/examples`);
    expect(left.examples).toMatchObject([{ id: added.results[1].id, class: 'pet', name: 'cat1.jpg' }]);
    const { objects } = await edge.env.BATCHES.list({ prefix: `classifiers/${id}/` });
    expect(objects.map(({ key }) => key)).toEqual([`classifiers/${id}/${added.results[1].id}.f32`]);
  });

  it('gives a bad file its own problem, and takes the others', async () => {
    const id = await createClassifier();
    const form = new FormData();
    form.set('class', 'cat');
    form.append('image', new File(['not a picture'], 'notes.txt'));
    form.append('image', new File([new Uint8Array(await cutPhoto('cat', 0))], 'cat.jpg'));
    const { json } = await call('POST', `/v1/classifiers/${id}/examples`, form);
    expect(json.results).toMatchObject([
      { index: 0, name: 'notes.txt', problem: { code: 'image_format_unknown' } },
      { index: 1, class: 'cat' },
    ]);
    expect(json.classifier.examples).toBe(1);
    const refused = await call('POST', `/v1/classifiers/${id}/examples/json`, { class: 'zz', image: 'AAAA' });
    expect(refused.json.code).toBe('image_format_unknown');
    // What cannot be read leaves no class behind.
    expect((await call('GET', `/v1/classifiers/${id}`)).json.classes).toEqual([{ name: 'cat', examples: 1 }]);
  });

  it('has the features of a photo that moved while its class was deleted', async () => {
    const id = await createClassifier();
    await addPhotos(id, 'old', 'cat', [0, 1, 2, 3]);
    const [moved] = await Promise.all([
      addPhotos(id, 'new', 'cat', [0, 1, 2, 3]),
      call('DELETE', `/v1/classifiers/${id}/classes/old`),
    ]);
    expect(moved.status).toBe(200);
    const { json } = await call('GET', `/v1/classifiers/${id}/examples`);
    const { objects } = await edge.env.BATCHES.list({ prefix: `classifiers/${id}/` });
    const kept = objects.map(({ key }) => key.split('/').at(-1)?.replace('.f32', ''));
    expect(json.examples.filter((example: Json) => !kept.includes(example.id))).toEqual([]);
  });

  it('refuses to learn from one class, and bad names', async () => {
    const id = await createClassifier(['cat', 'dog']);
    await addPhotos(id, 'cat', 'cat', [0]);
    expect((await call('POST', `/v1/classifiers/${id}/train`)).json).toMatchObject({
      status: 409,
      code: 'classifier_not_trainable',
    });
    for (const name of ['', '  ', 'a\u0000b', 'x'.repeat(81), '\ud800', '..', '\u200b']) {
      expect((await call('POST', '/v1/classifiers', { name })).json).toMatchObject({
        code: 'option_invalid',
      });
    }
    expect((await call('POST', '/v1/classifiers', { name: 'x', base: 'nothing' })).json).toMatchObject({
      code: 'model_unknown',
    });
    expect((await call('GET', '/v1/classifiers/clf-nothing')).json).toMatchObject({
      code: 'classifier_unknown',
    });
  });

  it('fetches photos by reference through the queue, and says which could not be had', async () => {
    const id = await createClassifier();
    const urls = [`${origin}/cat0.jpg`, `${origin}/cat1.jpg?size=1`, `${origin}/nothing.jpg`];
    const { status } = await call('POST', `/v1/classifiers/${id}/imports`, {
      class: 'cat',
      images: urls.map((url) => ({ url })),
    });
    expect(status).toBe(202);
    const done = await waitFor(
      async () => (await call('GET', `/v1/classifiers/${id}`)).json,
      ({ imports }) => imports.waiting === 0,
    );
    expect(done).toMatchObject({ examples: 2, imports: { waiting: 0, failed: 1 } });
    const { json } = await call('GET', `/v1/classifiers/${id}/imports`);
    expect(json.imports).toMatchObject([{ url: urls[2], error: { code: 'url_unreachable' } }]);
    const { json: list } = await call('GET', `/v1/classifiers/${id}/examples`);
    expect(list.examples.map(({ name }: Json) => name).sort()).toEqual(['cat0.jpg', 'cat1.jpg']);
  });

  it('takes one photo as JSON', async () => {
    const id = await createClassifier();
    const image = (await cutPhoto('cat', 2)).toString('base64');
    const { json } = await call('POST', `/v1/classifiers/${id}/examples/json`, { class: 'cat', image });
    expect(json).toMatchObject({ class: 'cat', duplicate: false, classifier: { examples: 1 } });
  });
});

describe('versions', () => {
  it('answer when they are ready, and can be rolled back', async () => {
    const id = await fillClassifier();
    expect((await call('POST', `/v1/classifiers/${id}/train`)).json.version).toBe(1);
    await waitForVersion(id, 1);
    await addPhotos(id, 'rocket', 'rocket', firstPhotos);
    expect((await call('GET', `/v1/classifiers/${id}`)).json.stale).toBe(true);
    expect((await call('POST', `/v1/classifiers/${id}/train`)).json.version).toBe(2);
    await waitForVersion(id, 2);
    expect((await classify(id, 'rocket', 9)).json).toMatchObject({
      model_version: '2',
      predictions: [{ label: 'rocket' }, {}, {}],
    });
    expect((await call('POST', `/v1/classifiers/${id}/serve`, { version: 1 })).json.version).toBe(1);
    expect((await classify(id, 'rocket', 9)).json.model_version).toBe('1');
    expect((await call('POST', `/v1/classifiers/${id}/serve`, { version: 7 })).json).toMatchObject({
      code: 'classifier_version_unknown',
    });
    const head = await edge.fetch(`/v1/classifiers/${id}/versions/2/head`);
    expect(Buffer.from(await head.arrayBuffer()).toString('latin1', 0, 4)).toBe('RNHD');
  });

  it('are trained even if the message was lost', async () => {
    const id = await fillClassifier();
    await edge.env.BATCHES_DB.batch([
      edge.env.BATCHES_DB.prepare(
        `INSERT INTO classifier_versions (classifier, version, state, created_at) VALUES (?1, 1, 'training', 0)`,
      ).bind(id),
      edge.env.BATCHES_DB.prepare('UPDATE classifiers SET last_version = 1 WHERE id = ?1').bind(id),
    ]);
    await edge.scheduled();
    expect((await waitForVersion(id, 1)).state).toBe('ready');
  });

  it('are gone with the classifier, also one that is being trained', async () => {
    const id = await fillClassifier();
    await call('POST', `/v1/classifiers/${id}/train`);
    expect((await call('DELETE', `/v1/classifiers/${id}`)).status).toBe(204);
    expect((await call('GET', `/v1/classifiers/${id}`)).status).toBe(404);
    expect((await classify(id, 'cat', 9)).status).toBe(404);
    // What came after in the queue is done: so is the lesson of the deleted one.
    const later = await fillClassifier();
    await call('POST', `/v1/classifiers/${later}/train`);
    await waitForVersion(later, 1);
    await edge.scheduled();
    expect((await classify(id, 'cat', 9)).status).toBe(404);
    expect((await edge.env.BATCHES.list({ prefix: `classifiers/${id}/` })).objects).toEqual([]);
  });
});

describe('classifiers with API keys', () => {
  it('belong to the key that made them; whoever knows the id may classify', async () => {
    const id = await fillClassifier('shop key');
    await call('POST', `/v1/classifiers/${id}/train`, undefined, 'shop key');
    await waitForVersion(id, 1, 'shop key');
    for (const key of ['other key', undefined]) {
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/train'],
        ['GET', '/examples'],
        ['GET', '/versions/1/head'],
      ] as const) {
        expect((await call(method, `/v1/classifiers/${id}${path}`, undefined, key)).json).toMatchObject({
          status: 404,
          code: 'classifier_unknown',
        });
      }
    }
    expect((await call('GET', '/v1/classifiers', undefined, 'app key')).json).toMatchObject({
      code: 'scope_missing',
    });
    expect((await classify(id, 'cat', 9)).json.predictions[0].label).toBe('cat');
    const mine = (await call('GET', '/v1/classifiers?limit=100', undefined, 'shop key')).json;
    expect(mine.classifiers.map((row: Json) => row.id)).toEqual([id]);
    expect((await call('GET', '/v1/classifiers')).json).toEqual({ classifiers: [], next_after: null });
    const metrics = await (await edge.fetch('/metrics')).text();
    expect(metrics).toContain('model="classifier"');
    expect(metrics).not.toContain('clf-');
    expect((await call('GET', '/v1/models')).json.models.map(({ name }: Json) => name)).not.toContain(id);
  });
});
