import { beforeEach, describe, expect, it } from 'vitest';
import { createBatchId } from '../../../src/jobs/batch/batch-id.ts';
import type { BatchInputs } from '../../../src/jobs/batch/batch-inputs.ts';
import { type SubmitServices, submitBatch } from '../../../src/jobs/batch/submit-batch.ts';
import { abandonedUploadMs } from '../../../src/limits.ts';
import { createStores, type Stores } from './batch-fixture.ts';

let stores: Stores;
let services: SubmitServices;

beforeEach(() => {
  stores = createStores();
  const { store, chunks, memory, now } = stores;
  services = {
    createId: () => createBatchId(1),
    store,
    chunks,
    bucket: memory.bucket,
    queue: { send: async () => undefined },
    retentionMs: 1e9,
    now,
    maxPendingItems: 100,
    resolveModel: async () => ({ model: 'resnet18', modelVersion: '1', tier: 'edge' }),
    assertPublicUrl: async () => undefined,
  };
});

const inputs = (url: string): BatchInputs => ({
  model: undefined,
  inputs: (async function* () {
    yield { url };
  })(),
  options: () => ({ model: undefined, task: 'classify', topK: 1, webhookUrl: undefined, metadata: {} }),
  digest: async () => url,
});

const submit = (url: string, owner = 'ann') =>
  submitBatch(inputs(url), { owner, idempotencyKey: 'key' }, services);

/** What a process leaves that died while it read a body. */
const leaveHalf = () =>
  stores.store.create({
    id: 'half',
    owner: 'ann',
    idempotencyKey: 'key',
    tier: 'edge',
    model: 'resnet18',
    modelVersion: '1',
    topK: 1,
    expiresAt: stores.clock.ms + 1e9,
  });

describe('an Idempotency-Key', () => {
  it('gives the first batch to a repetition, and refuses another body', async () => {
    const { batch } = await submit('https://x.example/1');
    expect(await submit('https://x.example/1')).toMatchObject({ batch: { id: batch.id }, replayed: true });
    await expect(submit('https://x.example/2')).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    expect((await submit('https://x.example/2', 'bob')).replayed).toBe(false);
  });

  it('is in use while the first request may still be read, and free once it must have died', async () => {
    await leaveHalf();
    stores.clock.ms += abandonedUploadMs;
    await expect(submit('https://x.example/1')).rejects.toMatchObject({
      code: 'idempotency_key_in_use',
      retryAfterSeconds: 2,
    });
    stores.clock.ms += 1;
    const { batch, replayed } = await submit('https://x.example/1');
    expect(replayed).toBe(false);
    expect(batch).toMatchObject({ status: 'processing', total: 1 });
    expect(await stores.store.find('half')).toBeUndefined();
  });

  it('lets a request that lives after all end without a batch', async () => {
    await leaveHalf();
    stores.clock.ms += abandonedUploadMs + 1;
    await submit('https://x.example/1');
    const model = { task: 'classify', model: 'resnet18', modelVersion: '1', topK: 1, tier: 'edge' } as const;
    await stores.store.activate('half', {
      total: 1,
      fingerprint: '',
      webhookUrl: undefined,
      metadata: {},
      ...model,
    });
    expect(await stores.store.find('half')).toBeUndefined();
  });
});
