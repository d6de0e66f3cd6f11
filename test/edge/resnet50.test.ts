import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxDecoderBytes, maxRuntimeBytes } from '../../src/limits.ts';
import type { ModelManifest } from '../../src/model/manifest.ts';
import { hasShared, readSharedGoldens, sharedPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const MB = 1e6;
const loadedBytes = 'runtime_memory_bytes';

/** A real ResNet-50, imported and published as its owner would; its licence keeps it out of this repository. */
describe.skipIf(!hasShared).each(['auto', 'plain'])('ResNet-50 int8 in an isolate, %s kernels', (kernels) => {
  let edge: EdgeServer;
  let manifest: ModelManifest;

  beforeAll(async () => {
    process.env['RESNET_EDGE_MODELS_DIR'] = await mkdtemp(join(tmpdir(), 'resnet50-'));
    const { compileModel } = await import('../../src/cli/models/compile-model.ts');
    const { importModel } = await import('../../src/cli/models/import-model.ts');
    const { findPreset, readSources } = await import('../../src/cli/models/sources.ts');
    const draft = await importModel(sharedPath('models/resnet50-reference-int8.onnx'), {
      name: 'resnet50',
      recipe: findPreset(await readSources(), 'torchvision-v1'),
      source: 'the test',
      licence: 'non-commercial',
    });
    const model = await compileModel(draft);
    manifest = model.manifest;
    edge = await startEdge({ vars: { ENGINE_KERNELS: kernels } });
    for (const file of [manifest.edgeFile.file, manifest.labels.file, 'manifest.json']) {
      await edge.models.put(`resnet50/${manifest.version}/${file}`, await readFile(join(model.folder, file)));
    }
    const models = [
      { name: 'resnet18-imagenet1k', version: '3' },
      { name: 'resnet50', version: manifest.version },
    ];
    await edge.models.put(
      'catalog.json',
      new TextEncoder().encode(JSON.stringify({ default_model: 'resnet50', models })),
    );
  }, 120_000);
  afterAll(() => edge?.stop());

  const classify = async (body: Uint8Array<ArrayBuffer>, model = 'resnet50') => {
    const response = await edge.fetch(`/v1/classify?top_k=1&model=${model}`, { method: 'POST', body });
    expect(response.status).toBe(200);
    return (await response.json()) as { predictions: [{ class_index: number }] };
  };
  const memory = async () =>
    ((await (await edge.fetch('/v1/health/ready')).json()) as { runtime_memory_bytes: number })
      .runtime_memory_bytes;
  const countLoads = () => edge.logs().filter(({ event }) => event === 'model_loaded').length;

  it('classifies a 12-megapixel JPEG within 33 MB of heap and 100 MB in all', async () => {
    const photo = sharp(await readFile(sharedPath('golden/images/n02102318.jpg'))).resize(4032, 3024, {
      fit: 'fill',
    });
    const body = new Uint8Array(await photo.jpeg({ quality: 95 }).toBuffer());
    await classify(body);
    expect(manifest.tier).toBe('edge');
    const heap = await memory();
    expect(heap).toBeLessThanOrEqual(33 * MB);
    // JavaScript holds the body and at most what the decoder may take; the model it never holds.
    expect(heap + body.length + maxDecoderBytes).toBeLessThanOrEqual(100 * MB);
  });

  it('labels the shared photos better than chance would, and like its golden classes mostly', async () => {
    const goldens = (await readSharedGoldens()).slice(0, 10);
    let right = 0;
    for (const { image, class_index } of goldens) {
      const answer = await classify(new Uint8Array(await readFile(sharedPath(`golden/${image}`))));
      if (answer.predictions[0].class_index === class_index) right++;
    }
    expect(right).toBeGreaterThanOrEqual(7);
  });

  it('stays beside ResNet-18, whichever kernels run', async () => {
    const photo = new Uint8Array(await readFile(sharedPath('golden/images/n02102318.jpg')));
    const takeTurns = async (turns: number) => {
      for (let turn = 0; turn < turns; turn++) {
        await classify(photo, 'resnet18-imagenet1k');
        await classify(photo, 'resnet50');
        const held = Number(edge.logs().findLast(({ event }) => event === 'model_loaded')?.[loadedBytes]);
        expect(held).toBeLessThanOrEqual(maxRuntimeBytes);
      }
    };
    await takeTurns(2);
    const before = await memory();
    const loads = countLoads();
    await takeTurns(10);
    expect(await memory()).toBe(before);
    expect(countLoads() - loads).toBe(0);
  });
});
