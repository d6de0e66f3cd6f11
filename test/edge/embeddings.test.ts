import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadFile } from '../../src/cli/models/node-runtime.ts';
import { decodeToCrop } from '../../src/image/image-to-crop.ts';
import { toTensor } from '../../src/image/to-tensor.ts';
import { bootEngineNode } from '../../src/inference/engine-node.ts';
import { findEngineFile, goldenPath } from '../golden/golden.ts';
import { defaultSpec } from '../image/fixtures.ts';
import { collectResults, waitForEnd } from './batch-client.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

interface EmbeddingAnswer {
  readonly model: string;
  readonly model_version: string;
  readonly dimensions: number;
  readonly embedding: number[];
}

const readPhoto = async (name: string) => new Uint8Array(await readFile(goldenPath(name)));
/** What the engine gives in Node, which test/inference/features.test.ts holds to onnxruntime-node's bits. */
async function toFeatures(photo: Uint8Array): Promise<readonly Float32Array[]> {
  const session = await loadFile(await bootEngineNode('plain'), await findEngineFile());
  const { crop } = await decodeToCrop(photo, defaultSpec);
  return (await session.runWithFeatures!(toTensor(crop, defaultSpec), 'all')).features;
}

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge?.stop());

async function embed(query: string, body: BodyInit, path = '/v1/embeddings', headers: HeadersInit = {}) {
  const response = await edge.fetch(`${path}${query}`, { method: 'POST', body, headers });
  return { status: response.status, answer: (await response.json()) as EmbeddingAnswer };
}
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe('POST /v1/embeddings', () => {
  it('gives the last block’s features, to the bit', async () => {
    const photo = await readPhoto('cat.jpg');
    const { status, answer } = await embed('?normalize=false', photo);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ model: 'resnet18-imagenet1k', model_version: '3', dimensions: 512 });
    expect(answer.embedding).toEqual([...(await toFeatures(photo)).at(-1)!]);
  });

  it('scales it to length 1 unless told otherwise, and the blocks of the long one alike', async () => {
    const photo = await readPhoto('cat.jpg');
    for (const [query, dimensions, blocks] of [
      ['', 512, 1],
      ['?layers=all', 2432, 9],
    ] as const) {
      const { answer } = await embed(query, photo);
      expect(answer.dimensions).toBe(dimensions);
      expect(dot(answer.embedding, answer.embedding)).toBeCloseTo(1, 5);
      const last = answer.embedding.slice(-512);
      expect(dot(last, last)).toBeCloseTo(1 / blocks, 5);
    }
  });

  it('gives the same as base64 of little-endian float32', async () => {
    const photo = await readPhoto('coffee.png');
    const { answer } = await embed('', photo);
    const base64 = (await embed('?encoding_format=base64', photo)).answer.embedding as unknown as string;
    const bytes = Buffer.from(base64, 'base64');
    const floats = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
    expect(floats).toEqual(answer.embedding);
  });

  it('takes JSON and forms, and gives each file of a form its own vector or problem', async () => {
    const photo = await readPhoto('cat.jpg');
    const { answer } = await embed('', photo);
    const image = Buffer.from(photo).toString('base64');
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ image });
    expect((await embed('', body, '/v1/embeddings/json', headers)).answer.embedding).toEqual(
      answer.embedding,
    );
    const form = new FormData();
    form.append('image', new Blob([photo]), 'cat.jpg');
    form.append('image', new Blob(['text']), 'notes.txt');
    const response = await edge.fetch('/v1/embeddings/form', { method: 'POST', body: form });
    expect(await response.json()).toMatchObject({
      model: 'resnet18-imagenet1k',
      results: [
        { index: 0, name: 'cat.jpg', dimensions: 512, embedding: answer.embedding },
        { index: 1, name: 'notes.txt', problem: { code: 'image_format_unknown' } },
      ],
    });
  });

  it('tells a picture and its smaller copy from another picture', async () => {
    const { default: sharp } = await import('sharp');
    const small = new Uint8Array(await sharp(goldenPath('cat.jpg')).resize(300).jpeg().toBuffer());
    const [cat, copy, rocket] = await Promise.all(
      [await readPhoto('cat.jpg'), small, await readPhoto('rocket.jpg')].map(
        async (photo) => (await embed('', photo)).answer.embedding,
      ),
    );
    expect(dot(cat!, copy!)).toBeGreaterThan(0.95);
    expect(dot(cat!, rocket!)).toBeLessThan(0.8);
  });

  it.each([
    ['?layers=first', 'layers must be "last" or "all".'],
    ['?encoding_format=hex', 'encoding_format must be "float" or "base64".'],
    ['?normalize=maybe', 'normalize must be true or false.'],
  ])('refuses %s', async (query, detail) => {
    const { status, answer } = await embed(query, await readPhoto('cat.jpg'));
    expect([status, answer]).toMatchObject([400, { code: 'option_invalid', detail }]);
  });
});

/** Base64 of float32, little-endian. */
const toFloats = (base64: string) => [
  ...new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer),
];

describe('the same vector elsewhere', () => {
  it('is what a batch with the task embed gives, and what the Open Inference Protocol has as an output', async () => {
    const photo = await readPhoto('cat.jpg');
    const { answer } = await embed('', photo);
    const image = Buffer.from(photo).toString('base64');
    const accepted = await edge.fetch('/v1/batches', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task: 'embed', inputs: [{ image }, { image: 'AAAA' }] }),
    });
    const { id, task, tier } = (await accepted.json()) as { id: string; task: string; tier: string };
    expect({ task, tier }).toEqual({ task: 'embed', tier: 'edge' });
    await waitForEnd(edge, id);
    const [row, bad] = (await collectResults(edge, id)) as { embedding?: string; dimensions?: number }[];
    expect(row).toMatchObject({ model: 'resnet18-imagenet1k', dimensions: 512, image: { format: 'jpeg' } });
    expect(toFloats(row!.embedding!)).toEqual(answer.embedding);
    expect(bad).toMatchObject({ problem: { code: 'image_format_unknown' } });

    const infer = async (outputs: readonly object[]) => {
      const response = await edge.fetch('/v2/models/resnet18-imagenet1k/infer', {
        method: 'POST',
        body: JSON.stringify({
          inputs: [{ name: 'data', shape: [1], datatype: 'BYTES', data: [image] }],
          outputs,
        }),
      });
      return (await response.json()) as {
        outputs: { name: string; shape: number[]; data: number[] }[];
        error?: string;
      };
    };
    const both = await infer([{ name: 'embedding' }, { name: 'logits' }]);
    expect(both.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['embedding', [1, 512]],
      ['logits', [1, 1000]],
    ]);
    expect(both.outputs[0]!.data).toEqual(answer.embedding);
    const alone = await infer([{ name: 'logits' }]);
    expect(both.outputs[1]!.data).toEqual(alone.outputs[0]!.data);
    expect((await infer([{ name: 'embedding' }, { name: 'embedding' }])).error).toMatch(/once/);
    expect((await infer([{ name: 'features' }])).error).toMatch(/"logits" or "embedding"/);
  });
});
