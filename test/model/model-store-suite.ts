import { describe, expect, it } from 'vitest';
import type { ModelStore } from '../../src/model/model-store.ts';

/** Every adapter of the store contract passes this. `put` writes a file in the adapter's own way. */
export function describeModelStore(
  name: string,
  store: ModelStore,
  put: (key: string, bytes: Uint8Array) => Promise<void>,
): void {
  const readAll = async (key: string) => {
    const object = await store.open(key);
    return (
      object && {
        bytes: object.bytes,
        content: new Uint8Array(await new Response(object.body).arrayBuffer()),
      }
    );
  };

  describe(`${name} as a model store`, () => {
    it('gives back what was put, with its size, as a stream of byte chunks', async () => {
      const content = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) & 255);
      await put('net/1/model.ort', content);
      expect(await readAll('net/1/model.ort')).toEqual({ bytes: 300_000, content });
      expect(await readAll('net/1/model.ort')).toEqual({ bytes: 300_000, content });
    });
    it('gives an empty object', async () => {
      await put('net/1/empty', new Uint8Array(0));
      expect(await readAll('net/1/empty')).toEqual({ bytes: 0, content: new Uint8Array(0) });
    });
    it('has nothing under a key that was not put', async () => {
      expect(await store.open('net/2/model.ort')).toBeUndefined();
      expect(await store.open('net/1')).toBeUndefined();
      expect(await store.open('../net/1/model.ort')).toBeUndefined();
    });
    it('can be cancelled half-way, and read again', async () => {
      await put('net/1/cancelled', new Uint8Array(1_000_000));
      const object = await store.open('net/1/cancelled');
      const reader = object!.body.getReader();
      await reader.read();
      await reader.cancel();
      expect((await readAll('net/1/cancelled'))?.bytes).toBe(1_000_000);
    });
    it('takes the newest of two writes', async () => {
      await put('catalog.json', new Uint8Array([1, 2, 3]));
      await put('catalog.json', new Uint8Array([4]));
      expect((await readAll('catalog.json'))?.content).toEqual(new Uint8Array([4]));
    });
  });
}
