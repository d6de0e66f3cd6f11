import { describe, expect, it } from 'vitest';
import { createKvModelStore } from '../../src/model/kv-model-store.ts';
import { putKvFile, toKvPartKey } from '../../src/model/kv-parts.ts';
import { createR2ModelStore } from '../../src/model/r2-model-store.ts';
import { describeModelStore } from '../model/model-store-suite.ts';
import { KV, MODELS } from './env.ts';

describeModelStore('R2', createR2ModelStore(MODELS), async (key, bytes) => {
  await MODELS.put(key, bytes);
});
describeModelStore('KV, in one value', createKvModelStore(KV), (key, bytes) => putKvFile(KV, key, bytes));
describeModelStore('KV, cut into parts', createKvModelStore(KV), (key, bytes) =>
  putKvFile(KV, key, bytes, 100_001),
);

describe('a KV file cut into parts', () => {
  const store = createKvModelStore(KV);
  it('fails as a stream when a part is missing', async () => {
    await putKvFile(KV, 'net/3/model.ort', new Uint8Array(30), 10);
    await KV.delete(toKvPartKey('net/3/model.ort', 2));
    const object = await store.open('net/3/model.ort');
    expect(object?.bytes).toBe(30);
    await expect(new Response(object!.body).arrayBuffer()).rejects.toMatchObject({
      code: 'model_unavailable',
    });
  });
  it('is refused when someone wrote the value by hand, without its metadata', async () => {
    await KV.put('net/4/model.ort', 'x');
    await expect(store.open('net/4/model.ort')).rejects.toMatchObject({ code: 'model_corrupt' });
  });
});
