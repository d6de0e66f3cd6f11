import { describe, expect, it } from 'vitest';
import { digestHex } from '../../src/lib/digest.ts';
import { modelChunkBytes, modelTurnBytes } from '../../src/limits.ts';
import { createR2ModelStore } from '../../src/model/r2-model-store.ts';
import { createWorkersSha256 } from '../../src/model/sha256-workers.ts';
import { readVerifiedChunks } from '../../src/model/verified-chunks.ts';
import { MODELS } from './env.ts';

/** SHA-256 of "abc" (FIPS 180-4, appendix B.1 of the 2002 edition). */
const abc = {
  file: 'abc',
  bytes: 3,
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
};
const store = createR2ModelStore(MODELS);

async function readAll(key: string): Promise<string> {
  const object = await store.open(key);
  let text = '';
  for await (const chunk of readVerifiedChunks(object!, abc, createWorkersSha256))
    text += new TextDecoder().decode(chunk);
  return text;
}

describe('reading a model file from R2', () => {
  it('passes the bytes of the right hash through', async () => {
    await MODELS.put('right', 'abc');
    expect(await readAll('right')).toBe('abc');
  });
  it('ends in model_corrupt on another hash or size', async () => {
    await MODELS.put('other', 'abd');
    await expect(readAll('other')).rejects.toMatchObject({ code: 'model_corrupt' });
    await MODELS.put('short', 'ab');
    await expect(readAll('short')).rejects.toMatchObject({ code: 'model_corrupt' });
  });
  it('gives larger chunks than R2 does by itself, and other work its turn between them', async () => {
    const bytes = Uint8Array.from({ length: 2 * modelTurnBytes + 5 }, (_, index) => index % 251);
    await MODELS.put('large', bytes);
    const file = { file: 'large', bytes: bytes.length, sha256: await digestHex(bytes) };
    let hadTurn = false;
    setTimeout(() => {
      hadTurn = true;
    }, 0);
    const joined = new Uint8Array(bytes.length);
    let at = 0;
    let largest = 0;
    for await (const chunk of readVerifiedChunks((await store.open('large'))!, file, createWorkersSha256)) {
      joined.set(chunk, at);
      at += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
    expect(await digestHex(joined)).toBe(file.sha256);
    expect(largest).toBeGreaterThan(4096);
    expect(largest).toBeLessThanOrEqual(modelChunkBytes);
    expect(hadTurn).toBe(true);
  });
  it('has nothing under a key that is not there', async () => {
    expect(await store.open('absent')).toBeUndefined();
  });
});
