import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  applyHead,
  formatHead,
  type Head,
  measureSimilarity,
  packMeans,
  parseHead,
} from '../../src/model/head.ts';
import { HeadCache } from '../../src/model/head-cache.ts';
import { type ModelManifest, parseManifest } from '../../src/model/manifest.ts';
import { ModelSources } from '../../src/model/model-sources.ts';
import { createNodeSha256 } from '../../src/model/sha256-node.ts';

const head: Head = {
  classes: 2,
  labels: ['cat', 'dog'],
  backbone: { name: 'resnet18', version: '1' },
  blocks: [2, 1],
  temperature: 0.5,
  threshold: 0.4,
  min_similarity: 0.5,
  weights: Float32Array.of(1, 2, 3, -1, 0, 0.5),
  biases: Float32Array.of(0.25, -0.5),
  means: Uint8Array.of(255, 0, 0, 0, 255, 255),
};

describe('a head’s file', () => {
  it('is read as it was written, also from the middle of a buffer', () => {
    const file = formatHead(head);
    expect(parseHead(file)).toEqual(head);
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    expect(parseHead(shifted.subarray(1))).toEqual(head);
  });

  it('gives sums over its temperature', () => {
    // (1 x 1 + 2 x 0 + 3 x 2 + 0.25) / 0.5, (-1 + 0 + 1 - 0.5) / 0.5
    expect([...applyHead(head, Float32Array.of(1, 0, 2))]).toEqual([14.5, -1]);
  });

  it('knows how much a vector looks like the nearest class', () => {
    expect(measureSimilarity(head, Float32Array.of(3, 0, 0))).toBe(1);
    // (0, 255, 255) and (4, 3, 0): 3 x 255 / (sqrt(2) x 255 x 5); (255, 0, 0): 4 / 5
    expect(measureSimilarity(head, Float32Array.of(4, 3, 0))).toBeCloseTo(0.8, 12);
    expect(measureSimilarity(head, Float32Array.of(0, 1, 0))).toBeCloseTo(Math.SQRT1_2, 12);
    expect(measureSimilarity(head, new Float32Array(3))).toBe(0);
  });

  it('keeps means in units of their largest value', () => {
    const means = [Float32Array.of(0.5, 0.25, 0), Float32Array.of(0, 0, 0)];
    expect([...packMeans(means)]).toEqual([255, 128, 0, 0, 0, 0]);
  });

  it.each([
    ['a cut', (file: Uint8Array) => file.subarray(0, -1)],
    ['a byte more', (file: Uint8Array) => Uint8Array.of(...file, 0)],
    ['another magic', (file: Uint8Array) => file.with(0, 0)],
    ['a later format', (file: Uint8Array) => file.with(4, 9)],
    ['fields that are no JSON', (file: Uint8Array) => file.with(12, 0)],
    ['nothing', () => new Uint8Array()],
    ['a label less', () => formatHead({ ...head, labels: ['cat'] })],
  ])('refuses %s', (_, change) => {
    expect(() => parseHead(change(formatHead(head)) as Uint8Array<ArrayBuffer>)).toThrow(
      expect.objectContaining({ code: 'model_corrupt' }),
    );
  });
});

describe('heads of an isolate', () => {
  const file = formatHead(head);
  const sha256 = createHash('sha256').update(file).digest('hex');
  const toManifest = (name: string): ModelManifest =>
    parseManifest({
      name,
      version: '1',
      files: { head: { file: 'model.rnhd', bytes: file.length, sha256 } },
      labels: { file: 'labels.json', bytes: 1, sha256 },
      datatype: 'fp32',
      input: { name: 'data', shape: [1, 3, 32, 32], datatype: 'FP32', layout: 'NCHW' },
      output: { name: 'logits', kind: 'logits', classes: 2 },
      preprocess: {
        resize_shortest_edge: 36,
        interpolation: 'bilinear',
        center_crop: 32,
        rescale_factor: 1,
        mean: [0, 0, 0],
        std: [1, 1, 1],
      },
      backbone: { name: 'resnet', version: '1' },
      source: 'the test',
      licence: 'MIT',
      tier: 'edge',
    });

  function createCache(maxBytes: number) {
    const reads: string[] = [];
    const open = async (key: string) => {
      reads.push(key);
      return { bytes: file.length, body: new Blob([file]).stream() };
    };
    const sources = new ModelSources([{ name: 'test', store: { open } }]);
    return { cache: new HeadCache(sources, createNodeSha256, maxBytes), reads };
  }

  it('are read once while they fit, and the one that was used longest ago makes room', async () => {
    const { cache, reads } = createCache(file.length * 2);
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b'])
      expect(await cache.read(toManifest(name))).toEqual(head);
    expect(reads).toEqual(['a/1/model.rnhd', 'b/1/model.rnhd', 'c/1/model.rnhd', 'b/1/model.rnhd']);
    expect(cache.bytes).toBe(file.length * 2);
  });

  it('stay within the budget, a thousand asked in turn', async () => {
    const { cache } = createCache(file.length * 3);
    for (let index = 0; index < 1000; index++) {
      await cache.read(toManifest(`head-${index}`));
      expect(cache.bytes).toBeLessThanOrEqual(file.length * 3);
    }
  });

  it('must have as many classes as their manifest says', async () => {
    const { cache } = createCache(1e6);
    const manifest = toManifest('a');
    const wrong = { ...manifest, output: { ...manifest.output, classes: 3 } };
    await expect(cache.read(wrong)).rejects.toMatchObject({ code: 'model_manifest_invalid' });
  });
});
