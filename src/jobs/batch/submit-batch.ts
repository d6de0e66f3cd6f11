import { CodedError } from '../../errors.ts';
import { batchChunkItems, chunkRowsPerInsert, maxBatchBodyBytes } from '../../limits.ts';
import type { CreateSha256 } from '../../model/verified-chunks.ts';
import type { Tier } from '../../protocol/tier/tier.ts';
import type { Batch, InputReference } from './batch.ts';
import type { BatchStore } from './batch-store.ts';
import type { ChunkQueue } from './chunk-queue.ts';
import type { ChunkStore } from './chunk-store.ts';
import { countBody } from './counted-body.ts';
import { deleteBatchObjects } from './delete-batch-objects.ts';
import { ImagePacker } from './image-packer.ts';
import { type BatchOptions, readBatchBody } from './read-inputs.ts';

export interface SubmitServices {
  readonly store: BatchStore;
  readonly chunks: ChunkStore;
  readonly bucket: R2Bucket;
  readonly queue: ChunkQueue;
  readonly createSha256: CreateSha256;
  readonly retentionMs: number;
  /** Of one owner; who has as many waiting may send no more. */
  readonly maxPendingItems: number;
  /**
   * Which version of which model, on which tier.
   * @throws {CodedError} `model_unknown`; `model_requires_batch_tier` if no tier here can run it.
   */
  readonly resolveModel: (name: string | undefined) => Promise<BatchModel>;
  /** @throws {CodedError} if nothing may be sent to this address. */
  readonly assertPublicUrl: (url: string) => Promise<void>;
}

export interface BatchModel {
  readonly model: string;
  readonly modelVersion: string;
  readonly tier: Tier;
}

/**
 * Takes a batch in. Inputs are stored while the body is read; only when the last one is, the batch is
 * accepted, in one statement. A request that fails or dies before leaves nothing that would be run.
 *
 * @param idempotencyKey a second request with the same key, options and body gets the first one's batch.
 * @throws {CodedError} what `readBatchBody` and `countBody` throw; `idempotency_key_reused` for another
 *   request under the same key, `rate_limited` if too much of this owner is waiting, `idempotency_key_in_use` while the first request is still being read.
 */
export async function submitBatch(
  request: Request,
  owner: string,
  idempotencyKey: string | undefined,
  services: SubmitServices,
): Promise<{ readonly batch: Batch; readonly replayed: boolean }> {
  const { store } = services;
  const query = new URL(request.url).searchParams;
  const wanted = await services.resolveModel(query.get('model') ?? undefined);
  const id = `batch_${crypto.randomUUID().replaceAll('-', '')}`;
  const created = await store.create({
    id,
    owner,
    idempotencyKey,
    ...wanted,
    topK: 1,
    expiresAt: Date.now() + services.retentionMs,
  });
  if (!created) return { batch: await replay(request, owner, idempotencyKey!, services), replayed: true };
  try {
    await assertRoom(owner, services);
    const { total, options, digest } = await storeInputs(request, id, services);
    const chosen = options.model === undefined ? wanted : await services.resolveModel(options.model);
    await store.activate(id, {
      ...chosen,
      total,
      fingerprint: await digest(),
      topK: options.top_k,
      webhookUrl: options.webhook_url,
      metadata: options.metadata,
    });
  } catch (error) {
    await deleteBatchObjects(services.bucket, id);
    await store.delete(id);
    throw error;
  }
  const batch = await store.find(id);
  if (batch?.status === 'processing') await sendChunks(batch, services);
  if (!batch) throw new CodedError('batch_unknown', 'The batch was deleted while it was being sent.');
  return { batch, replayed: false };
}

/** Before the body is read: its length is not known, so that one batch may exceed the limit. */
async function assertRoom(owner: string, { store, maxPendingItems }: SubmitServices): Promise<void> {
  const pending = await store.countPending(owner);
  if (pending < maxPendingItems) return;
  throw new CodedError(
    'rate_limited',
    `${pending} of your images are waiting; send more when they are fewer than ${maxPendingItems}.`,
    { retryAfterSeconds: 60 },
  );
}

async function storeInputs(
  request: Request,
  id: string,
  { chunks: chunkStore, bucket, createSha256, assertPublicUrl }: SubmitServices,
): Promise<{ total: number; options: BatchOptions; digest: () => Promise<string> }> {
  const body = countBody(request, maxBatchBodyBytes, createSha256);
  const contentType = request.headers.get('content-type') ?? '';
  const { inputs, options } = readBatchBody(contentType, new URL(request.url).searchParams, body.chunks);
  const packer = new ImagePacker(bucket, id);
  let references: InputReference[] = [];
  let total = 0;
  const save = async () => {
    // First the images, then what refers to them.
    await packer.flush();
    const first = total - references.length;
    const chunks = [];
    for (let offset = 0; offset < references.length; offset += batchChunkItems) {
      chunks.push({
        chunk: (first + offset) / batchChunkItems,
        firstIndex: first + offset,
        inputs: references.slice(offset, offset + batchChunkItems),
      });
    }
    await chunkStore.add(id, chunks);
    references = [];
  };
  for await (const input of inputs) {
    references.push(await packer.add(input));
    total++;
    if (references.length === chunkRowsPerInsert * batchChunkItems) await save();
  }
  if (references.length > 0) await save();
  const parsed = options();
  if (parsed.webhook_url !== undefined) await assertPublicUrl(parsed.webhook_url);
  return { total, options: parsed, digest: body.digest };
}

/** The batch is accepted by now: a message that cannot be sent is sent by the sweep instead. */
async function sendChunks(
  { id, total }: Batch,
  { queue, chunks: chunkStore }: SubmitServices,
): Promise<void> {
  const chunks = Array.from({ length: Math.ceil(total / batchChunkItems) }, (_, chunk) => chunk);
  try {
    await queue.send(chunks.map((chunk) => ({ batch_id: id, chunk })));
    await chunkStore.markSent(id, chunks);
  } catch {
    // Not sent_at, not lost: sweep.ts.
  }
}

async function replay(
  request: Request,
  owner: string,
  key: string,
  { store, createSha256 }: SubmitServices,
): Promise<Batch> {
  const body = countBody(request, maxBatchBodyBytes, createSha256);
  for await (const _ of body.chunks);
  const found = await store.findByIdempotencyKey(owner, key);
  if (!found || found.batch.status === 'starting') {
    throw new CodedError('idempotency_key_in_use', 'A request with this Idempotency-Key is being read.', {
      retryAfterSeconds: 2,
    });
  }
  if (found.fingerprint === (await body.digest())) return found.batch;
  throw new CodedError(
    'idempotency_key_reused',
    'This Idempotency-Key was used with another body, or other options.',
  );
}
