import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import { goldenPath } from '../golden/golden.ts';
import { collectResults, waitForEnd } from './batch-client.ts';
import { cutPhoto, type Subject, subjects } from './cut-photo.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const run = promisify(execFile);
const photosPerClass = 6;

let folder: string;
let edge: EdgeServer;
let taught: Record<string, unknown>;

/** `npm run models -- ...` with a workspace of the test's own. */
async function models(...args: string[]): Promise<Record<string, unknown>> {
  const env = {
    ...process.env,
    RESNET_EDGE_MODELS_DIR: join(folder, 'workspace'),
    RESNET_EDGE_STATE_DIR: join(folder, 'state'),
  };
  const argv = ['src/cli/main.ts', 'models', ...args, '--json'];
  return JSON.parse((await run(process.execPath, argv, { cwd: projectRoot, env })).stdout);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heads-'));
  for (const label of Object.keys(subjects) as Subject[]) {
    await mkdir(join(folder, 'photos', label), { recursive: true });
    for (let index = 0; index < photosPerClass; index++) {
      await writeFile(join(folder, 'photos', label, `${index}.jpg`), await cutPhoto(label, index));
    }
  }
  await writeFile(join(folder, 'photos/cat/broken.jpg'), 'not an image');
  taught = await models('teach', 'subjects', join(folder, 'photos'));
  // Another head of the same backbone: two classes, from a file.
  const rows = (['cat', 'rocket'] as const).flatMap((label) =>
    [0, 1, 2].map((index) => `photos/${label}/${index}.jpg,${label}`),
  );
  await writeFile(join(folder, 'pets.csv'), rows.join('\n'));
  await models('teach', 'pets', join(folder, 'pets.csv'));
  edge = await startEdge({ vars: { CATALOG_TTL_SECONDS: '0', BATCH_STALL_SECONDS: '60' } });
  for (const head of ['subjects', 'pets']) {
    const version = join(folder, 'workspace', head, '1');
    for (const name of await readdir(version)) {
      if (name !== 'report.json')
        await edge.models.put(`${head}/1/${name}`, new Uint8Array(await readFile(join(version, name))));
    }
  }
  const catalog = {
    default_model: 'resnet18-imagenet1k',
    models: [
      { name: 'resnet18-imagenet1k', version: '3' },
      { name: 'subjects', version: '1' },
      { name: 'pets', version: '1' },
    ],
  };
  await edge.models.put('catalog.json', new TextEncoder().encode(JSON.stringify(catalog)));
}, 120_000);
afterAll(async () => {
  await edge?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ask(path: string, body: Uint8Array) {
  const response = await edge.fetch(path, { method: 'POST', body: new Uint8Array(body) });
  // biome-ignore lint/suspicious/noExplicitAny: each test asserts the part of the answer that it reads.
  return { status: response.status, headers: response.headers, answer: (await response.json()) as any };
}

describe('models teach', () => {
  it('tells what it did, and which file it could not read', () => {
    expect(taught).toMatchObject({ name: 'subjects/1', photos: 18, classes: 3 });
    expect(taught['unreadable']).toMatch(/broken\.jpg \(image_format_unknown\)/);
  });

  it('makes the next version of the name, from features that it has kept', async () => {
    expect(await models('teach', 'subjects', join(folder, 'photos'))).toMatchObject({ name: 'subjects/2' });
    const [first, second] = await Promise.all(
      ['1', '2'].map((version) => readFile(join(folder, 'workspace/subjects', version, 'model.rnhd'))),
    );
    expect(second!.equals(first!)).toBe(true);
  });

  it('is judged by eval, like any model', async () => {
    await rm(join(folder, 'photos/cat/broken.jpg'), { force: true });
    expect(await models('eval', 'subjects', join(folder, 'photos'))).toMatchObject({ top1: 1 });
  });

  it.each([
    [['teach', 'Not A Name', '.'], 'cannot be a model'],
    [['teach', 'one', 'src/learn'], 'two are needed'],
  ])('refuses %j', async (args, message) => {
    await expect(models(...args)).rejects.toMatchObject({ stderr: expect.stringContaining(message) });
  });
});

it('models teach --report writes one page that needs nothing else', async () => {
  const page = join(folder, 'report.html');
  await models('teach', 'reported', join(folder, 'photos'), '--report', page);
  const html = await readFile(page, 'utf8');
  expect(html).toContain('<title>reported: what was learned</title>');
  expect(html.match(/<svg /g)?.length).toBeGreaterThanOrEqual(1);
  expect(html).not.toMatch(/(src|href)="(?!data:)/);
});

describe('models adopt', () => {
  it('takes in a head that was taught elsewhere: the same classes and weights under a name of its own', async () => {
    const file = join(folder, 'workspace/subjects/1/model.rnhd');
    expect(await models('adopt', 'adopted', file)).toMatchObject({
      name: 'adopted/1',
      classes: Object.keys(subjects).join(', '),
    });
    const read = (name: string) => readFile(join(folder, 'workspace', name));
    expect(await read('adopted/1/model.rnhd')).toEqual(await read('subjects/1/model.rnhd'));
    expect(await read('adopted/1/labels.json')).toEqual(await read('subjects/1/labels.json'));
    await expect(models('adopt', 'other', goldenPath('cat.jpg'))).rejects.toMatchObject({
      stderr: expect.stringContaining('no file of a head'),
    });
  });
});

describe('a head at the edge', () => {
  it('classifies a photo that it has not seen, beside the model that it stands on', async () => {
    for (const label of Object.keys(subjects) as Subject[]) {
      const { answer, headers } = await ask('/v1/classify?model=subjects&top_k=1', await cutPhoto(label, 11));
      expect(answer).toMatchObject({ model: 'subjects', model_version: '1', predictions: [{ label }] });
      expect(headers.get('x-model-version')).toBe('subjects/1');
    }
    const { answer } = await ask('/v1/classify?top_k=1', await readFile(goldenPath('cat.jpg')));
    expect(answer).toMatchObject({ model: 'resnet18-imagenet1k', predictions: [{ label: 'Egyptian cat' }] });
    // One session serves both.
    const ready = (await (await edge.fetch('/v1/health/ready')).json()) as { loaded_models: string[] };
    expect(ready.loaded_models).toEqual(['resnet18-imagenet1k/3']);
  });

  it('answers together with another head of the same backbone, as each answers alone', async () => {
    const photo = await cutPhoto('coffee', 11);
    const [first, second] = [
      await ask('/v1/classify?model=subjects', photo),
      await ask('/v1/classify?model=pets', photo),
    ];
    const both = await ask('/v1/classify?model=subjects,pets', photo);
    const { id: _, ...own } = first.answer;
    expect(both.answer).toMatchObject({ ...own, model: 'subjects' });
    const { model, model_version, predictions, unknown } = second.answer;
    expect(both.answer.others).toEqual([{ model, model_version, predictions, ...(unknown && { unknown }) }]);
    const form = new FormData();
    form.append('image', new File([new Uint8Array(photo)], 'a.jpg'));
    const response = await edge.fetch('/v1/classify/form?model=subjects,pets', {
      method: 'POST',
      body: form,
    });
    expect(await response.json()).toMatchObject({
      model: 'subjects',
      results: [{ predictions: own.predictions, others: [{ model: 'pets' }] }],
    });
    const mixed = await ask('/v1/classify?model=subjects,resnet18-imagenet1k', photo);
    expect(mixed.answer).toMatchObject({ status: 400, code: 'option_invalid' });
  });

  it('says so where it is none of its classes', async () => {
    const noise = await sharp({
      create: {
        width: 300,
        height: 300,
        channels: 3,
        background: 'grey',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .jpeg()
      .toBuffer();
    const { answer } = await ask('/v1/classify?model=subjects', noise);
    expect(answer.unknown).toBe(true);
    const known = await ask('/v1/classify?model=subjects', await readFile(goldenPath('cat.jpg')));
    expect(known.answer).not.toHaveProperty('unknown');
  });

  it('is described with its backbone, and gives that one’s embedding', async () => {
    const card = await (await edge.fetch('/v1/models/subjects')).json();
    expect(card).toMatchObject({
      backbone: { name: 'resnet18-imagenet1k', version: '3' },
      files: [{ kind: 'head' }],
      runtime: 'resnet-int8',
      output: { classes: 3 },
    });
    const photo = await readFile(goldenPath('cat.jpg'));
    const own = await ask('/v1/embeddings?model=subjects', photo);
    expect(own.answer.embedding).toEqual((await ask('/v1/embeddings', photo)).answer.embedding);
  });

  it('answers in other APIs’ words', async () => {
    const { answer } = await ask('/models/subjects', await cutPhoto('rocket', 11));
    expect(answer[0]).toMatchObject({ label: 'rocket' });
  });

  it('runs in batches', async () => {
    const images = await Promise.all(
      (Object.keys(subjects) as Subject[]).map(async (subject) => ({
        image: (await cutPhoto(subject, 11)).toString('base64'),
      })),
    );
    const body = JSON.stringify({ inputs: images, model: 'subjects', top_k: 1 });
    const headers = { 'content-type': 'application/json' };
    const response = await edge.fetch('/v1/batches', { method: 'POST', body, headers });
    const { id } = (await response.json()) as { id: string };
    await waitForEnd(edge, id);
    const results = await collectResults(edge, id);
    expect(results.map(({ predictions }) => predictions![0]!.label)).toEqual(Object.keys(subjects));
  });

  it('that is damaged in the store is refused, never served', async () => {
    const key = 'subjects/1/model.rnhd';
    const other = await startEdge({ vars: { CATALOG_TTL_SECONDS: '0' } });
    try {
      const version = join(folder, 'workspace/subjects/1');
      for (const name of ['labels.json', 'manifest.json'])
        await other.models.put(`subjects/1/${name}`, new Uint8Array(await readFile(join(version, name))));
      const bytes = new Uint8Array(await readFile(join(version, 'model.rnhd')));
      bytes[bytes.length - 1]! ^= 1;
      await other.models.put(key, bytes);
      const catalog = {
        default_model: 'resnet18-imagenet1k',
        models: [
          { name: 'resnet18-imagenet1k', version: '3' },
          { name: 'subjects', version: '1' },
        ],
      };
      await other.models.put('catalog.json', new TextEncoder().encode(JSON.stringify(catalog)));
      const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
      const response = await other.fetch('/v1/classify?model=subjects', { method: 'POST', body: photo });
      expect([response.status, await response.json()]).toMatchObject([503, { code: 'model_corrupt' }]);
    } finally {
      await other.stop();
    }
  });
});
