import { describe, expect, it } from 'vitest';
import { maxBodyBytes, maxModelNameLength, maxTierItems, maxTopK } from '../../../src/limits.ts';
import { type ChunkHead, writeChunk } from '../../../src/protocol/tier/chunk-format.ts';
import { ChunkReader } from '../../../src/protocol/tier/chunk-reader.ts';

const encoder = new TextEncoder();
const head: ChunkHead = {
  model: 'resnet18',
  model_version: '3',
  top_k: 5,
  items: 3,
  orientation: 'ignore',
  scoring: 'sigmoid',
  strict: true,
};
const items = [
  { index: 7, bytes: Uint8Array.of(1, 10, 3) },
  { index: 0, bytes: new Uint8Array() },
  { index: 2, bytes: Uint8Array.from({ length: 300 }, (_, i) => i) },
];

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function write(): Promise<Uint8Array> {
  const given = (async function* () {
    yield* items;
  })();
  const parts: Uint8Array[] = [];
  for await (const part of writeChunk(head, given)) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}
const readerOf = (text: string | Uint8Array, size = 1_000_000) =>
  new ChunkReader(inPieces(typeof text === 'string' ? encoder.encode(text) : text, size));
async function readAll(reader: ChunkReader, maxItems = 10) {
  const read = [];
  for await (const item of reader.readItems(maxItems)) read.push(item);
  return read;
}
const line = (value: object) => `${JSON.stringify(value)}\n`;

describe('a chunk', () => {
  it('is written as its format says: a line and the bytes, nothing between them', async () => {
    const text = Buffer.from(await write()).toString('latin1');
    expect(
      text.startsWith(
        `${line(head)}${line({ index: 7, bytes: 3 })}\x01\n\x03${line({ index: 0, bytes: 0 })}`,
      ),
    ).toBe(true);
  });

  it.each([1, 2, 7, 100, 1_000_000])('is read as it was written, in pieces of %i bytes', async (size) => {
    const reader = readerOf(await write(), size);
    expect(await reader.readHead()).toEqual(head);
    expect(await readAll(reader)).toEqual(items);
    expect(await readAll(reader)).toEqual([]);
  });

  it('may leave out what has a default', async () => {
    expect(await readerOf(line({ model: 'm', top_k: 1, items: 1 })).readHead()).toEqual({
      model: 'm',
      top_k: 1,
      items: 1,
      orientation: 'apply',
      scoring: 'model',
      strict: false,
    });
  });

  it('takes each number up to its limit', async () => {
    const model = 'm'.repeat(maxModelNameLength);
    const most = { ...head, model, model_version: model, top_k: maxTopK, items: maxTierItems };
    expect(await readerOf(line(most)).readHead()).toEqual(most);
  });

  it.each<[object, string]>([
    [{ model: '' }, 'model:'],
    [{ model: 'm'.repeat(maxModelNameLength + 1) }, 'model:'],
    [{ model_version: '' }, 'model_version:'],
    [{ model_version: 'm'.repeat(maxModelNameLength + 1) }, 'model_version:'],
    [{ top_k: 0 }, 'top_k:'],
    [{ top_k: maxTopK + 1 }, 'top_k:'],
    [{ items: 0 }, 'items:'],
    [{ items: maxTierItems + 1 }, 'items:'],
    [{ orientation: 'left' }, 'orientation:'],
    [{ scoring: 'best' }, 'scoring:'],
    [{ strict: 'yes' }, 'strict:'],
    [{ more: 1 }, 'A head:'],
  ])('refuses a head with %j', async (change, message) => {
    await expect(readerOf(line({ ...head, ...change })).readHead()).rejects.toMatchObject({
      code: 'chunk_invalid',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ['', 'The chunk is empty.'],
    ['{\n', 'A head is not JSON.'],
    [`"${'x'.repeat(1024)}\n`, 'A head is longer than 1024 bytes.'],
    ['x'.repeat(1025), 'A head is longer than 1024 bytes.'],
  ])('refuses %j', async (text, message) => {
    await expect(readerOf(text).readHead()).rejects.toMatchObject({ code: 'chunk_invalid', message });
  });

  it('reads a head of 1024 bytes', async () => {
    const short = JSON.stringify({ model: 'm', top_k: 1, items: 1 });
    expect(await readerOf(`${short.padEnd(1024)}\n`).readHead()).toHaveProperty('model', 'm');
    await expect(readerOf(`${short.padEnd(1024)}`).readHead()).rejects.toMatchObject({
      code: 'body_aborted',
    });
  });

  it.each<[string, object, string]>([
    ['a negative index', { index: -1, bytes: 0 }, 'index:'],
    ['a negative length', { index: 0, bytes: -1 }, 'bytes:'],
    ['an image that is too large', { index: 0, bytes: maxBodyBytes + 1 }, 'bytes:'],
    ['half an index', { index: 0.5, bytes: 0 }, 'index:'],
    ['more', { index: 0, bytes: 0, more: 1 }, 'A head:'],
  ])('refuses an item of %s before it waits for its bytes', async (_, item, message) => {
    await expect(readAll(readerOf(line(item)))).rejects.toMatchObject({
      code: 'chunk_invalid',
      message: expect.stringContaining(message),
    });
  });

  it('refuses an item that comes twice, and one more than was announced', async () => {
    const one = line({ index: 4, bytes: 0 });
    await expect(readAll(readerOf(one + one))).rejects.toMatchObject({
      code: 'chunk_invalid',
      message: expect.stringContaining('Item 4 comes twice'),
    });
    const two = one + line({ index: 5, bytes: 0 });
    expect(await readAll(readerOf(two), 2)).toHaveLength(2);
    await expect(readAll(readerOf(two), 1)).rejects.toMatchObject({
      message: expect.stringContaining('after the 1 announced'),
    });
  });

  it.each([
    ['in a line', '{"index'],
    ['in an image', `${line({ index: 0, bytes: 3 })}ab`],
    ['before an image', line({ index: 0, bytes: 3 })],
  ])('that ends %s was cut off', async (_, text) => {
    for (const size of [1, 1000])
      await expect(readAll(readerOf(text, size))).rejects.toMatchObject({
        code: 'body_aborted',
        message: 'The chunk ended early.',
      });
  });
});
