import { beforeEach, describe, expect, it, vi } from 'vitest';
import { consumeDeliveries, type DeliverServices } from '../../../src/jobs/batch/deliver-webhook.ts';
import { signWebhook } from '../../../src/jobs/webhook/standard-webhook.ts';
import { maxDeliveryAttempts, nextDeliveryDelay } from '../../../src/lib/retry-schedule.ts';
import { acceptBatch, createMessage, createStores, type Stores } from './batch-fixture.ts';

const url = 'https://example.com/hook';
const keys = [new Uint8Array(32).fill(7)];
const maxQueueDelaySeconds = 43_200;

let stores: Stores;
let answers: (Response | Error)[];
const posted: { url: string; init: RequestInit }[] = [];
const log = vi.fn();
beforeEach(() => {
  stores = createStores();
  answers = [];
  posted.length = 0;
  log.mockClear();
});

/** A batch has ended, and a webhook is owed for it. */
async function owe(batchId = 'a', owner = 'ann'): Promise<string> {
  await acceptBatch(stores, batchId, 1, { webhookUrl: url, owner });
  await stores.store.cancel(batchId);
  const [id] = await stores.deliveries.findNew(batchId);
  return id!;
}

async function deliver(id: string, toPayload = async (): Promise<string | undefined> => '{"a":1}') {
  const { message, ack, retry } = createMessage({ delivery_id: id });
  const services: DeliverServices = {
    deliveries: stores.deliveries,
    keys,
    toPayload,
    post: async (to, init) => {
      posted.push({ url: to, init });
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
      if (answer instanceof Error) throw answer;
      return answer.clone() as Response;
    },
    // Without the random part.
    nextDelay: (attempts, retryAfterSeconds) => nextDeliveryDelay(attempts, retryAfterSeconds, 0),
    log,
    now: stores.now,
  };
  await consumeDeliveries([message], () => services, log);
  return { acked: ack.mock.calls.length === 1, delaySeconds: retry.mock.calls[0]?.[0].delaySeconds };
}

const readDelivery = async (id: string) => (await stores.deliveries.find(id))!;
const answer = (status: number, headers: Record<string, string> = {}) =>
  new Response(null, { status, headers });

describe('a webhook that is owed', () => {
  it('is signed at the time at which it is sent, posted once, and done with', async () => {
    const id = await owe();
    answers = [answer(204)];
    stores.clock.ms = 1_800_000_000_999;
    expect(await deliver(id)).toEqual({ acked: true, delaySeconds: undefined });
    const signed = await signWebhook(id, 1_800_000_000, '{"a":1}', keys);
    expect(posted).toMatchObject([{ url, init: { method: 'POST', redirect: 'manual', headers: signed } }]);
    expect(await readDelivery(id)).toMatchObject({ state: 'delivered', attempts: 1 });
    expect(await deliver(id)).toMatchObject({ acked: true });
    expect(posted).toHaveLength(1);
  });

  it.each([[200], [299]])('counts as delivered by %i', async (status) => {
    const id = await owe();
    answers = [answer(status)];
    expect((await deliver(id)).acked).toBe(true);
    expect(await readDelivery(id)).toMatchObject({ state: 'delivered' });
  });

  it('is tried on the schedule until it is given up', async () => {
    const id = await owe();
    answers = [answer(503), new Error('no route'), answer(300)];
    const delays: number[] = [];
    for (let attempt = 1; ; attempt++) {
      const { acked, delaySeconds } = await deliver(id);
      expect(posted).toHaveLength(attempt);
      if (acked) break;
      const wanted = nextDeliveryDelay(attempt, undefined, 0)!;
      delays.push(wanted);
      // A queue cannot wait longer: the message comes early, and is sent back for the rest.
      expect(delaySeconds).toBe(Math.min(wanted, maxQueueDelaySeconds));
      stores.clock.ms += delaySeconds! * 1000;
      for (let left = wanted - delaySeconds!; left > 0; left -= maxQueueDelaySeconds) {
        expect(await deliver(id)).toEqual({
          acked: false,
          delaySeconds: Math.min(left, maxQueueDelaySeconds),
        });
        expect(posted).toHaveLength(attempt);
        stores.clock.ms += Math.min(left, maxQueueDelaySeconds) * 1000;
      }
    }
    expect(posted).toHaveLength(maxDeliveryAttempts);
    expect(delays[0]).toBe(5);
    expect(delays.at(-1)).toBe(86_400);
    expect(await readDelivery(id)).toMatchObject({ state: 'failed', attempts: maxDeliveryAttempts });
    expect(log).toHaveBeenLastCalledWith('error', expect.objectContaining({ state: 'failed' }));
    const [logged] = await stores.deliveries.log('a');
    expect(logged!.log.slice(0, 3)).toMatchObject([
      { attempt: 1, status: 503, error: null },
      { attempt: 2, status: null, error: 'no route' },
      { attempt: 3, status: 300, error: null },
    ]);
  });

  it('waits to the second: a message that comes a moment early is sent back', async () => {
    const id = await owe();
    answers = [answer(500), answer(204)];
    expect(await deliver(id)).toMatchObject({ delaySeconds: 5 });
    stores.clock.ms += 4_001;
    expect(await deliver(id)).toMatchObject({ delaySeconds: 1 });
    stores.clock.ms += 999;
    expect(await deliver(id)).toMatchObject({ acked: true });
    expect(posted).toHaveLength(2);
  });

  it('waits as long as its receiver asks, by the clock that is given', async () => {
    const id = await owe();
    const wanted = Math.floor(stores.clock.ms / 1000) * 1000 + 600_000;
    answers = [answer(503, { 'retry-after': new Date(wanted).toUTCString() })];
    expect((await deliver(id)).delaySeconds).toBe(Math.ceil((wanted - stores.clock.ms) / 1000));
  });

  it('is posted by one of several messages, and each attempt is logged', async () => {
    const id = await owe();
    answers = [answer(500)];
    const both = await Promise.all([deliver(id), deliver(id), deliver(id)]);
    expect(posted).toHaveLength(1);
    expect(both.filter(({ acked }) => acked)).toEqual([]);
    stores.clock.ms += 60_000;
    answers = [answer(204)];
    await Promise.all([deliver(id), deliver(id)]);
    expect(posted).toHaveLength(2);
    const [logged] = await stores.deliveries.log('a');
    expect(logged!.log.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 500],
      [2, 204],
    ]);
  });

  it('whose message dies while it posts is posted again later, and the log says so', async () => {
    const id = await owe();
    const delivery = await readDelivery(id);
    expect(await stores.deliveries.claim(delivery, stores.clock.ms + 40_000)).toBe(true);
    answers = [answer(204)];
    expect(await deliver(id)).toEqual({ acked: false, delaySeconds: 40 });
    stores.clock.ms += 40_000;
    expect((await deliver(id)).acked).toBe(true);
    const [logged] = await stores.deliveries.log('a');
    expect(logged!.log).toMatchObject([
      { attempt: 1, status: null, error: 'cut short' },
      { attempt: 2, status: 204, error: null },
    ]);
  });

  it('is disabled by 410 for its owner alone, for a week, or until the owner asks for it again', async () => {
    const mine = await owe('a');
    const theirs = await owe('b', 'bob');
    answers = [answer(410), answer(204)];
    await deliver(mine);
    expect(await stores.deliveries.listGone('ann')).toEqual([{ url, at: stores.clock.ms }]);
    expect(await stores.deliveries.listGone('bob')).toEqual([]);
    await deliver(theirs);
    expect(await readDelivery(theirs)).toMatchObject({ state: 'delivered' });
    const later = await owe('c');
    stores.clock.ms += 7 * 24 * 3_600_000;
    await deliver(later);
    expect(await readDelivery(later)).toMatchObject({ state: 'delivered' });

    answers = [answer(410), answer(204)];
    await deliver(await owe('d'));
    expect(await stores.deliveries.restore('bob', url)).toBe(false);
    expect(await stores.deliveries.restore('ann', url)).toBe(true);
    const last = await owe('e');
    await deliver(last);
    expect(await readDelivery(last)).toMatchObject({ state: 'delivered' });
  });

  it('is disabled by 410, with every other one to that address', async () => {
    const [id, other] = [await owe('a'), await owe('b')];
    answers = [answer(410)];
    expect(await deliver(id)).toMatchObject({ acked: true });
    expect(await deliver(other)).toMatchObject({ acked: true });
    expect(posted).toHaveLength(1);
    for (const each of [id, other])
      expect(await readDelivery(each)).toMatchObject({ state: 'disabled', attempts: 1 });
  });

  it('is forgotten with its batch', async () => {
    const id = await owe();
    expect(await deliver(id, async () => undefined)).toMatchObject({ acked: true });
    expect(await deliver('unknown')).toMatchObject({ acked: true });
    expect(posted).toEqual([]);
  });
});

it('a message of another kind is dropped; one that fails here comes again in a minute', async () => {
  const foreign = createMessage({ no: 'delivery' });
  const failing = createMessage({ delivery_id: 'a' });
  const down = { ...createStores() };
  down.deliveries.find = async () => {
    throw new Error('D1 is down');
  };
  const services: DeliverServices = {
    deliveries: down.deliveries,
    keys,
    toPayload: async () => undefined,
    post: async () => answer(204),
    log,
  };
  await consumeDeliveries([foreign.message, failing.message], () => services, log);
  expect(foreign.ack).toHaveBeenCalledOnce();
  expect(failing.retry).toHaveBeenCalledWith({ delaySeconds: 60 });
});
