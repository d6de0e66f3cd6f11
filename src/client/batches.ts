import type { ServiceCaller } from './call-service.ts';
import type { Batch, BatchResult } from './wire.ts';

/** Where an image of a batch is, or its bytes. */
export type BatchInput =
  | { readonly url: string }
  | { readonly r2Key: string }
  | { readonly image: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>; readonly name?: string };

export interface BatchOptions {
  readonly model?: string;
  readonly topK?: number;
  /** `embed` gives each picture's features instead of its labels. */
  readonly task?: 'classify' | 'embed';
  readonly webhookUrl?: string;
  readonly metadata?: Record<string, unknown>;
  /** The same key with the same inputs makes one batch, however often it is sent. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

const finished: readonly Batch['status'][] = ['succeeded', 'partial', 'failed', 'canceled'];

/** The part of the client that has batches. */
export function createBatchCalls({ callJson, callText }: ServiceCaller) {
  const pathOf = (id: string) => `/v1/batches/${encodeURIComponent(id)}`;
  const readBatch = (id: string, signal?: AbortSignal): Promise<Batch> => callJson(pathOf(id), {}, signal);

  return {
    /**
     * @param inputs all with bytes, or all by reference.
     * @throws {TypeError} if there are inputs of both kinds.
     */
    createBatch(inputs: readonly BatchInput[], options: BatchOptions = {}): Promise<Batch> {
      const { idempotencyKey, signal } = options;
      const { body, headers } = writeBody(inputs, options);
      if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
      return callJson('/v1/batches', { method: 'POST', body, headers }, signal);
    },
    readBatch,
    cancelBatch: (id: string): Promise<Batch> => callJson(pathOf(id), { method: 'DELETE' }),
    /** The batch each time that something has changed, until it has come to its end. */
    async *watchBatch(id: string, signal?: AbortSignal): AsyncGenerator<Batch, void, undefined> {
      for (;;) {
        // The service ends a stream after a while; the next one begins with the present state.
        for await (const line of readLines(callText(`${pathOf(id)}/events`, signal))) {
          if (!line.startsWith('data:')) continue;
          const batch = JSON.parse(line.slice('data:'.length)) as Batch;
          yield batch;
          if (finished.includes(batch.status)) return;
        }
      }
    },
    /** Results in the order of the inputs, each as soon as it and all before it are there, to the last one. */
    async *readBatchResults(
      id: string,
      { cursor = 0, signal }: { readonly cursor?: number; readonly signal?: AbortSignal } = {},
    ): AsyncGenerator<BatchResult, void, undefined> {
      let next = cursor;
      for (;;) {
        // Asked before the results: what it says is finished is there to be read.
        const { status, counts } = await readBatch(id, signal);
        const path = `${pathOf(id)}/results?cursor=${next}`;
        for await (const line of readLines(callText(path, signal))) {
          const result = JSON.parse(line) as BatchResult;
          next = result.index + 1;
          yield result;
        }
        if (next >= counts.total || finished.includes(status)) return;
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    },
  };
}

/** Between two questions for results that are not there yet. */
const pollMs = 1000;

function writeBody(
  inputs: readonly BatchInput[],
  { model, task, topK, webhookUrl, metadata }: BatchOptions,
): { body: BodyInit; headers: Record<string, string> } {
  const fields = { model, task, top_k: topK, webhook_url: webhookUrl, metadata };
  const withBytes = inputs.filter((input) => 'image' in input);
  if (withBytes.length === 0) {
    const references = inputs.map((input) => ('r2Key' in input ? { r2_key: input.r2Key } : input));
    const lines = [fields, ...references].map((line) => `${JSON.stringify(line)}\n`);
    return { body: lines.join(''), headers: { 'content-type': 'application/x-ndjson' } };
  }
  if (withBytes.length < inputs.length) {
    throw new TypeError('The inputs of one batch must all have bytes, or all be references.');
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined)
      form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  for (const { image, name } of withBytes) form.append('image', new Blob([image]), name ?? 'image');
  return { body: form, headers: {} };
}

/** Lines without their ends; empty ones are left out. */
async function* readLines(texts: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let pending = '';
  for await (const text of texts) {
    const lines = (pending + text).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield line;
  }
  if (pending !== '') yield pending;
}
