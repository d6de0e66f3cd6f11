import type { R2Bucket } from '@cloudflare/workers-types';
import { CodedError } from '../../errors.ts';
import { deletePrefix } from '../../lib/delete-prefix.ts';
import { abandonedUploadMs, batchChunkItems, chunkRowsPerInsert } from '../../limits.ts';
import type { Tier } from '../../protocol/tier/tier.ts';
import { type Batch, type BatchTask, batchPrefix, type InputReference } from './batch.ts';
import type { BatchCaller, BatchInputs, RawInput } from './batch-inputs.ts';
import type { BatchStore } from './batch-store.ts';
import type { ChunkQueue } from './chunk-queue.ts';
import type { ChunkStore } from './chunk-store.ts';
import { ImagePacker } from './image-packer.ts';

export interface SubmitServices {
  /** Makes the id of a new batch, see batch-id.ts. */
  readonly createId: () => string;
  readonly store: BatchStore;
  readonly chunks: ChunkStore;
  readonly bucket: R2Bucket;
  readonly queue: ChunkQueue;
  readonly retentionMs: number;
  readonly now?: () => number;
  /** Items of one owner that may wait. An owner with this many may not send more. */
  readonly maxPendingItems: number;
  /**
   * Finds the model's version and the tier that runs it.
   * @throws {CodedError} `model_unknown`; `model_requires_batch_tier` if no tier here can run it; `embedding_unsupported`.
   */
  readonly resolveModel: (name: string | undefined, task?: BatchTask) => Promise<BatchModel>;
  /** @throws {CodedError} if nothing may be sent to this address. */
  readonly assertPublicUrl: (url: string) => Promise<void>;
}

export interface BatchModel {
  readonly model: string;
  readonly modelVersion: string;
  readonly tier: Tier;
}

export interface SubmittedBatch {
  readonly batch: Batch;
  /** True if an earlier request with the same Idempotency-Key made it. */
  readonly replayed: boolean;
}

/**
 * Accepts a batch. Inputs are stored while they are read. When the last one is stored, one statement accepts the batch.
 * If the request fails or dies before that, nothing of it runs.
 *
 * @throws {CodedError} what reading the inputs throws; `idempotency_key_reused` for other inputs or options under the
 *   same key; `idempotency_key_in_use` while the first request is still being read; `rate_limited` if too much of this
 *   owner is waiting; `model_*`; `url_*` for the webhook's address.
 */
export async function submitBatch(
  given: BatchInputs,
  { owner, idempotencyKey }: BatchCaller,
  services: SubmitServices,
): Promise<SubmittedBatch> {
  const { store } = services;
  const wanted = await services.resolveModel(given.model);
  const id = services.createId();
  const now = (services.now ?? Date.now)();
  const expiresAt = now + services.retentionMs;
  const create = async () => await store.create({ id, owner, idempotencyKey, ...wanted, topK: 1, expiresAt });
  const created =
    (await create()) || ((await freeKey(owner, idempotencyKey, now, services)) && (await create()));
  if (!created) return { batch: await replay(given, owner, idempotencyKey!, services), replayed: true };
  try {
    await assertRoom(owner, services);
    const total = await storeInputs(given.inputs, id, services);
    const { model, task, topK, webhookUrl, metadata } = given.options();
    if (webhookUrl !== undefined) await services.assertPublicUrl(webhookUrl);
    const isDefault = model === undefined && task === 'classify';
    const chosen = isDefault ? wanted : await services.resolveModel(model ?? given.model, task);
    const fingerprint = await given.digest();
    await store.activate(id, { ...chosen, task, total, fingerprint, topK, webhookUrl, metadata });
  } catch (error) {
    await deletePrefix(services.bucket, batchPrefix(id));
    await store.delete(id);
    throw error;
  }
  const batch = await store.find(id);
  if (batch?.status === 'processing') await sendChunks(batch, services);
  if (!batch) throw new CodedError('batch_unknown', 'The batch was deleted while it was being sent.');
  return { batch, replayed: false };
}

/** Frees an Idempotency-Key whose first request has died. @returns whether the key is free now. */
async function freeKey(
  owner: string,
  idempotencyKey: string | undefined,
  now: number,
  { store, bucket }: SubmitServices,
): Promise<boolean> {
  if (idempotencyKey === undefined) return false;
  const dead = await store.takeOver(owner, idempotencyKey, now - abandonedUploadMs);
  if (dead === undefined) return false;
  await deletePrefix(bucket, batchPrefix(dead));
  return true;
}

/** Runs before the body is read. The number of inputs is unknown then, so one batch may exceed the limit. */
async function assertRoom(owner: string, { store, maxPendingItems }: SubmitServices): Promise<void> {
  const pending = await store.countPending(owner);
  if (pending < maxPendingItems) return;
  throw new CodedError(
    'rate_limited',
    `${pending} of your images are waiting; send more when they are fewer than ${maxPendingItems}.`,
    { retryAfterSeconds: 60 },
  );
}

/** @returns how many there were. */
async function storeInputs(
  inputs: AsyncIterable<RawInput>,
  id: string,
  { chunks: chunkStore, bucket }: SubmitServices,
): Promise<number> {
  const packer = new ImagePacker(bucket, id);
  let references: InputReference[] = [];
  let total = 0;
  const save = async () => {
    // Images are stored before the references to them.
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
  return total;
}

/** The batch is accepted by now: if a message cannot be sent here, the sweep sends it. */
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
  { inputs, digest }: BatchInputs,
  owner: string,
  key: string,
  { store }: SubmitServices,
): Promise<Batch> {
  // Reads the inputs without storing them, because their digest decides whether the request is the same.
  for await (const _ of inputs);
  const found = await store.findByIdempotencyKey(owner, key);
  if (!found || found.batch.status === 'starting') {
    throw new CodedError('idempotency_key_in_use', 'A request with this Idempotency-Key is being read.', {
      retryAfterSeconds: 2,
    });
  }
  if (found.fingerprint === (await digest())) return found.batch;
  throw new CodedError(
    'idempotency_key_reused',
    'This Idempotency-Key was used with another body, or other options.',
  );
}
