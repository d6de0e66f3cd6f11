import { describe, expect, it } from 'vitest';
import { CatalogReader } from '../../src/model/catalog-reader.ts';
import { ModelSources } from '../../src/model/model-sources.ts';
import { createNodeSha256 } from '../../src/model/sha256-node.ts';
import { defaultSpec } from '../image/default-spec.ts';

const file = { file: 'f', bytes: 1, sha256: '0'.repeat(64) };

/** A store that has a catalogue without the model, and a manifest for each of its versions. */
function openStore(): ModelSources {
  const toBody = (json: object) => {
    const bytes = new TextEncoder().encode(JSON.stringify(json));
    return { bytes: bytes.length, body: new Response(bytes).body as ReadableStream<Uint8Array> };
  };
  return new ModelSources([
    {
      name: 'memory',
      store: {
        async open(key) {
          if (key === 'catalog.json')
            return toBody({ default_model: 'base', models: [{ name: 'base', version: '1' }] });
          const [name, version] = key.split('/');
          if (version === undefined || Number(version) > 5) return undefined;
          return toBody({
            name,
            version,
            files: { head: file },
            labels: file,
            datatype: 'fp32',
            input: { name: 'data', shape: [1, 3, 224, 224], datatype: 'FP32', layout: 'NCHW' },
            output: { name: 'logits', kind: 'logits', classes: 2 },
            preprocess: {
              resize_shortest_edge: 256,
              interpolation: 'bilinear',
              center_crop: 224,
              rescale_factor: defaultSpec.rescaleFactor,
              mean: [0, 0, 0],
              std: [1, 1, 1],
            },
            backbone: { name: 'base', version: '1' },
            source: 'a test',
            licence: 'MIT',
            tier: 'edge',
          });
        },
      },
    },
  ]);
}

describe('a model that is not in the catalogue', () => {
  it('is the version that is found for it, looked up again when it is old or known to have changed', async () => {
    let now = 0;
    let served = '1';
    let asked = 0;
    const reader = new CatalogReader(openStore(), createNodeSha256, {
      ttlMs: 1000,
      now: () => now,
      findVersion: async (name) => {
        asked++;
        return name === 'taught' ? served : undefined;
      },
    });
    const read = async () => (await reader.readManifest('taught')).version;
    expect(await read()).toBe('1');
    served = '2';
    expect(await read()).toBe('1');
    expect(asked).toBe(1);
    now = 1000;
    expect(await read()).toBe('2');
    served = '3';
    reader.forgetVersion('taught');
    expect(await read()).toBe('3');
    await expect(reader.readManifest('other')).rejects.toMatchObject({ code: 'model_unknown' });
    await expect(reader.readManifest('taught', '9')).rejects.toMatchObject({ code: 'model_unknown' });
    expect((await reader.readManifest('taught', '2')).version).toBe('2');
  });

  it('does not keep an answer that was on its way when it changed', async () => {
    const answers: ((version: string) => void)[] = [];
    const reader = new CatalogReader(openStore(), createNodeSha256, {
      ttlMs: 1e9,
      findVersion: () => new Promise<string>((resolve) => answers.push(resolve)),
    });
    const first = reader.readManifest('taught');
    await expect.poll(() => answers.length).toBe(1);
    reader.forgetVersion('taught');
    answers[0]!('1');
    expect((await first).version).toBe('1');
    const second = reader.readManifest('taught');
    await expect.poll(() => answers.length).toBe(2);
    answers[1]!('2');
    expect((await second).version).toBe('2');
  });
});
