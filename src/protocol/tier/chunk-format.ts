import { z } from 'zod';
import { maxBodyBytes, maxModelNameLength, maxTierItems, maxTopK } from '../../limits.ts';

/**
 * How the edge sends images to the Node tier: `POST /v1/chunks`, one stream, nothing to be escaped.
 *
 *     {"model": "resnet50", "model_version": "1", "top_k": 5, "items": 32}\n
 *     {"index": 0, "bytes": 1234}\n<1234 bytes>
 *     {"index": 1, "bytes": 99}\n<99 bytes>
 *
 * The head may say `orientation`, `scoring` and `strict`. `items` is the most that will come: the tier decides by it whether it
 * has room. It answers 200 as soon as it has room, then NDJSON: `{"index": 1, ...result}` as items are done, in any
 * order, and at last `{"end": true}`. An answer without that line was cut off.
 */
export const chunkMediaType = 'application/vnd.resnet-edge.chunk';

export const chunkHeadSchema = z.strictObject({
  model: z.string().min(1).max(maxModelNameLength),
  model_version: z.string().min(1).max(maxModelNameLength).optional(),
  top_k: z.int().min(1).max(maxTopK),
  items: z.int().min(1).max(maxTierItems),
  orientation: z.enum(['apply', 'ignore']).default('apply'),
  scoring: z.enum(['model', 'softmax', 'sigmoid', 'none']).default('model'),
  strict: z.boolean().default(false),
});
export type ChunkHead = z.infer<typeof chunkHeadSchema>;

export const itemHeadSchema = z.strictObject({
  index: z.int().nonnegative(),
  bytes: z.int().nonnegative().max(maxBodyBytes),
});

/** @returns The stream's bytes, made as they are asked for: one image is held at a time. */
export async function* writeChunk(
  head: ChunkHead,
  items: AsyncIterable<{ readonly index: number; readonly bytes: Uint8Array }>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  yield encoder.encode(`${JSON.stringify(head)}\n`);
  for await (const { index, bytes } of items) {
    yield encoder.encode(`${JSON.stringify({ index, bytes: bytes.byteLength })}\n`);
    yield bytes;
  }
}
