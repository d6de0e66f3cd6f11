import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { createS3ModelStore } from '../../src/model/s3-model-store.ts';
import { assetPath, defaultKey } from '../golden/golden.ts';
import { startTier } from '../tier/server/tier-process.ts';
import { s3Credentials, startLoopbackS3 } from './loopback-s3.ts';
import { describeModelStore } from './model-store-suite.ts';

const s3 = await startLoopbackS3();
afterAll(() => s3.close());
const { endpoint, bucket } = s3;
const put = async (key: string, bytes: Uint8Array) => void s3.objects.set(`/${bucket}/${key}`, bytes);

describeModelStore('S3', createS3ModelStore({ endpoint, bucket, ...s3Credentials }), put);

describe('S3', () => {
  it('that refuses the signature, or fails for long, is a store that does not answer', async () => {
    await put('net/1/model.ort', new Uint8Array(9));
    const stranger = createS3ModelStore({ endpoint, bucket, ...s3Credentials, secretAccessKey: 'another' });
    await expect(stranger.open('net/1/model.ort')).rejects.toMatchObject({ code: 'model_unavailable' });
    const store = createS3ModelStore({ endpoint, bucket, ...s3Credentials });
    s3.faults = [503, 500];
    expect((await store.open('net/1/model.ort'))?.bytes).toBe(9);
    s3.faults = [503, 503, 503];
    await expect(store.open('net/1/model.ort')).rejects.toMatchObject({ code: 'model_unavailable' });
  });

  it('serves the tier its models', async () => {
    const keys = ['catalog.json', ...['manifest.json', 'labels.json', 'model.onnx'].map(defaultKey)];
    for (const key of keys) await put(key, await readFile(assetPath(key)));
    const tier = await startTier({
      TIER_MODELS_DIR: '',
      TIER_S3_ENDPOINT: endpoint,
      TIER_S3_BUCKET: bucket,
      TIER_S3_ACCESS_KEY_ID: s3Credentials.accessKeyId,
      TIER_S3_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
    });
    try {
      const ready = await (await tier.fetch('/v1/health/ready')).json();
      expect(ready).toMatchObject({ models: [{ version: '3', execution_provider: 'cpu' }] });
    } finally {
      await tier.stop();
    }
  });
});
