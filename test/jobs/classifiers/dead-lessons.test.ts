import type { Message, Queue } from '@cloudflare/workers-types';
import { expect, it } from 'vitest';
import { createClassifierId, type LessonMessage } from '../../../src/jobs/classifiers/classifier.ts';
import { ClassifierStore } from '../../../src/jobs/classifiers/classifier-store.ts';
import { consumeDeadLessons } from '../../../src/jobs/classifiers/consume-lessons.ts';
import { ExampleStore } from '../../../src/jobs/classifiers/example-store.ts';
import { ImportStore } from '../../../src/jobs/classifiers/import-store.ts';
import { VersionStore } from '../../../src/jobs/classifiers/version-store.ts';
import { openD1 } from '../batch/sqlite-d1.ts';

async function giveUp({ isAsked = false, isDeleted = false }) {
  const db = openD1();
  const store = new ClassifierStore(db);
  const versions = new VersionStore(db);
  const examples = new ExampleStore(db);
  const id = createClassifierId();
  await store.create(
    id,
    { owner: 'shop', payer: 'key:shop' },
    { name: 'Things', base: { name: 'resnet18', version: '1' } },
  );
  await examples.addClasses(id, ['cat', 'dog']);
  await versions.request(id);
  await versions.begin(id, 1);
  if (isAsked) {
    await examples.add(id, { id: 'a', class: 'cat', name: 'a' });
    await versions.request(id);
  }
  if (isDeleted) await store.markDeleted(id);
  const sent: LessonMessage[] = [];
  let acks = 0;
  const queue = {
    send: async (body: LessonMessage) => {
      sent.push(body);
    },
  } as unknown as Queue<LessonMessage>; // What the consumer uses of a queue.
  const message = { body: { classifier: id, version: 1 }, ack: () => acks++ } as unknown as Message<unknown>;
  await consumeDeadLessons([message], {
    versions,
    imports: new ImportStore(db),
    queue,
    log: () => undefined,
  });
  const states = (await versions.list(id)).map(({ version, state }) => ({ version, state }));
  return { states, sent: sent.map((one) => 'version' in one && one.version), acks };
}

it('a version that the queue gave up is failed', async () => {
  expect(await giveUp({})).toEqual({ states: [{ version: 1, state: 'failed' }], sent: [], acks: 1 });
});

it('and is followed by the one that somebody asked for meanwhile', async () => {
  expect(await giveUp({ isAsked: true })).toEqual({
    states: [
      { version: 2, state: 'training' },
      { version: 1, state: 'failed' },
    ],
    sent: [2],
    acks: 1,
  });
});

it('but not if the classifier was deleted', async () => {
  expect(await giveUp({ isAsked: true, isDeleted: true })).toMatchObject({ sent: [], acks: 1 });
});
