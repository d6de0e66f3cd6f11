import type { Queue } from '@cloudflare/workers-types';
import { beforeEach, describe, expect, it } from 'vitest';
import { Gate } from '../../../src/classify/gate.ts';
import { CodedError } from '../../../src/errors.ts';
import type { LessonMessage } from '../../../src/jobs/classifiers/classifier.ts';
import { ClassifierServices } from '../../../src/jobs/classifiers/classifier-services.ts';
import { loadMatrixRoutines } from '../../../src/learn/matrix/matrix-routines-node.ts';
import { importMessageItems } from '../../../src/limits.ts';
import { createMessage } from '../batch/batch-fixture.ts';
import { createMemoryBucket } from '../batch/memory-bucket.ts';
import { openD1 } from '../batch/sqlite-d1.ts';

const base = { name: 'resnet18', version: '1' };
const stallMs = 60_000;

interface Queued {
  readonly body: LessonMessage;
  readonly attempts: number;
}

/** The queue, first in, first out, and what was worked on, in order. */
let queue: Queued[];
let work: string[];
/** Photos that cannot be had just now. */
let isDown: (url: string) => boolean;
let db: ReturnType<typeof openD1>;
let services: ClassifierServices;
beforeEach(() => {
  queue = [];
  work = [];
  isDown = () => false;
  db = openD1();
  const { bucket } = createMemoryBucket();
  services = new ClassifierServices({
    db,
    bucket,
    models: bucket,
    // What the services use of a queue.
    queue: {
      send: async (body: LessonMessage) => void queue.push({ body, attempts: 1 }),
      sendBatch: async (messages: Iterable<{ body: LessonMessage }>) => {
        for (const { body } of messages) queue.push({ body, attempts: 1 });
      },
    } as unknown as Queue<LessonMessage>,
    lessons: new Gate({ capacity: 1, maxWaiting: 1, maxHoldMs: 1000 }),
    matrixRoutines: loadMatrixRoutines(),
    // A lesson ends at its first step: what counts here is when it has its turn.
    readBase: async () => {
      work.push('lesson');
      throw new CodedError('embedding_unsupported', 'Not in this test.');
    },
    readViews: async () => [new Float32Array(4)],
    fetchImage: async (reference) => {
      const url = 'url' in reference ? reference.url : reference.r2_key;
      work.push(url);
      if (isDown(url)) throw new CodedError('url_unreachable', 'Down.', { retryAfterSeconds: 1 });
      return new TextEncoder().encode(url);
    },
    pause: async () => undefined,
    onServed: () => undefined,
    stallMs,
    retryBaseSeconds: 1,
    log: () => undefined,
  });
});

const create = (owner: string) =>
  services.create({ owner, payer: `key:${owner}` }, { name: owner, classes: ['cat', 'dog'], base });

const toUrls = (count: number, name = 'x') =>
  Array.from({ length: count }, (_, index) => ({ url: `https://${name}.example/${index}` }));

/** One consumer, one message: what is to be tried again goes to the end. @returns false if there was none. */
async function consumeOne(): Promise<boolean> {
  const next = queue.shift();
  if (!next) return false;
  const { message, retry } = createMessage(next.body, next.attempts);
  await services.consume([message]);
  if (retry.mock.calls.length > 0) queue.push({ ...next, attempts: next.attempts + 1 });
  return true;
}

async function consumeAll(): Promise<void> {
  while (await consumeOne());
}

const countOf = (id: string) => services.imports.count(id);

describe('a long import', () => {
  it('has one message in the queue at a time, and is done in the end', async () => {
    const { id } = await create('ann');
    await services.importExamples(id, 'cat', toUrls(1000));
    let most = queue.length;
    while (await consumeOne()) most = Math.max(most, queue.length);
    expect(most).toBe(1);
    expect(await countOf(id)).toEqual({ waiting: 0, failed: 0 });
    expect(work).toHaveLength(1000);
    expect(new Set(work).size).toBe(1000);
  });

  it('keeps another caller’s lesson waiting for one message of its own, and another import for as long', async () => {
    const [ann, bob] = [await create('ann'), await create('bob')];
    for (const label of ['cat', 'dog']) await services.importExamples(ann.id, label, toUrls(1000, label));
    for (const label of ['cat', 'dog'])
      await services.addExample(
        bob,
        { bytes: new TextEncoder().encode(label), class: label, name: label },
        async () => [new Float32Array(4)],
      );
    await consumeOne();
    work.length = 0;
    await services.train(bob.id);
    await services.importExamples(bob.id, 'cat', toUrls(20, 'bob'));
    for (let turn = 0; turn < 4; turn++) await consumeOne();
    // Two imports of hers were in the queue.
    expect(work.indexOf('lesson')).toBeLessThanOrEqual(2 * importMessageItems);
    expect(work.filter((one) => one.includes('bob'))).toHaveLength(importMessageItems);
    await consumeAll();
    for (const { id } of [ann, bob]) expect(await countOf(id)).toEqual({ waiting: 0, failed: 0 });
    expect(await services.examples.countByClass(ann.id)).toEqual([
      { name: 'cat', examples: 1000 },
      { name: 'dog', examples: 1000 },
    ]);
  });

  it('does not multiply its messages where photos are tried again', async () => {
    const { id } = await create('ann');
    await services.importExamples(id, 'cat', toUrls(100));
    // The first that is asked for: others are still to come then, in whatever order.
    isDown = (url) => url === work[0];
    let most = 0;
    while (await consumeOne()) most = Math.max(most, queue.length);
    // The next one, and the one with the photo that is down.
    expect(most).toBe(2);
    expect(await countOf(id)).toEqual({ waiting: 0, failed: 1 });
  });

  it('whose message was lost is taken up by the sweep, and not while it goes on', async () => {
    const { id } = await create('ann');
    await services.importExamples(id, 'cat', toUrls(200));
    await consumeOne();
    const [next] = queue;
    await services.sweep(Date.now() + stallMs / 2);
    expect(queue).toEqual([next]);
    queue.length = 0;
    await services.sweep(Date.now() + 2 * stallMs);
    expect(queue).toHaveLength(1);
    await consumeAll();
    expect(await countOf(id)).toEqual({ waiting: 0, failed: 0 });
  });

  it('goes on where an earlier version has sent all of its messages at once', async () => {
    const { id } = await create('ann');
    const ids = (await services.imports.add(id, 'cat', toUrls(40)))!;
    await db.prepare('UPDATE classifier_imports SET sent_at = 1').run();
    for (let start = 0; start < ids.length; start += importMessageItems)
      queue.push({
        body: { classifier: id, imports: ids.slice(start, start + importMessageItems) },
        attempts: 1,
      });
    await consumeAll();
    expect(await countOf(id)).toEqual({ waiting: 0, failed: 0 });
  });
});
