import { beforeEach, describe, expect, it } from 'vitest';
import { createClassifierId, isClassifierId } from '../../../src/jobs/classifiers/classifier.ts';
import { ClassifierStore } from '../../../src/jobs/classifiers/classifier-store.ts';
import { ExampleStore } from '../../../src/jobs/classifiers/example-store.ts';
import { ImportStore } from '../../../src/jobs/classifiers/import-store.ts';
import { VersionStore } from '../../../src/jobs/classifiers/version-store.ts';
import {
  maxClassifierClasses,
  maxClassifierExamples,
  maxClassifiers,
  maxClassifierVersions,
} from '../../../src/limits.ts';
import { modelNameSchema } from '../../../src/model/manifest.ts';
import { openD1 } from '../batch/sqlite-d1.ts';

const base = { name: 'resnet18', version: '1' };
const teacher = { owner: 'shop', payer: 'key:shop' };
const outcome = { classes: 2, examples: 2, accuracy: undefined };

let now: number;
let db: ReturnType<typeof openD1>;
let store: ClassifierStore;
let versions: VersionStore;
let examples: ExampleStore;
let id: string;

beforeEach(async () => {
  now = 1_000_000;
  db = openD1();
  store = new ClassifierStore(db, () => now);
  versions = new VersionStore(db, () => now);
  examples = new ExampleStore(db, () => now);
  id = createClassifierId();
  await store.create(id, teacher, { name: 'Things', base });
  await examples.addClasses(id, ['cat', 'dog']);
});

const add = (example: string, label: string, classifier = id) =>
  examples.add(classifier, { id: example, class: label, name: example });

describe('ids of classifiers', () => {
  it('are names of models, each another one, all of their characters used', () => {
    const ids = Array.from({ length: 2000 }, createClassifierId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((one) => isClassifierId(one) && modelNameSchema.safeParse(one).success)).toBe(true);
    expect(new Set(ids.flatMap((one) => [...one.slice(4, 29)])).size).toBe(32);
  });
});

describe('a lesson', () => {
  it('is one at a time, and follows another if examples came since that one began', async () => {
    await add('a', 'cat');
    expect(await versions.request(id)).toEqual({ version: 1, isNew: true });
    expect(await versions.request(id)).toEqual({ version: 1, isNew: false });
    await versions.begin(id, 1);
    expect(await versions.request(id)).toEqual({ version: 1, isNew: false });
    await add('b', 'dog');
    expect(await versions.request(id)).toEqual({ version: 1, isNew: false });
    expect(await versions.finish(id, 1, outcome)).toEqual({ again: true });
    // A message that comes twice finds the same.
    expect(await versions.finish(id, 1, outcome)).toEqual({ again: true });
    expect(await versions.request(id)).toEqual({ version: 2, isNew: true });
    await versions.begin(id, 2);
    expect(await versions.finish(id, 2, outcome)).toEqual({ again: false });
    expect(await store.findServedVersion(id)).toBe(2);
  });

  it('of a classifier that was deleted meanwhile serves nothing', async () => {
    await versions.request(id);
    await store.markDeleted(id);
    expect(await versions.finish(id, 1, outcome)).toBeUndefined();
    expect(await store.findServedVersion(id)).toBeUndefined();
    expect(await versions.request(id)).toBeUndefined();
    expect(await store.findDeleted(10)).toEqual([id]);
    await store.purge(id);
    expect(await store.findDeleted(10)).toEqual([]);
  });

  it('that failed says why, and leaves the version that answers', async () => {
    await versions.request(id);
    await versions.finish(id, 1, outcome);
    await versions.request(id);
    await versions.fail(id, 2, { code: 'classifier_not_trainable', detail: 'Too little.' });
    expect((await versions.list(id))[0]).toMatchObject({
      version: 2,
      state: 'failed',
      error: { code: 'classifier_not_trainable', detail: 'Too little.' },
    });
    expect(await store.serve(id, 2)).toBe(false);
    expect(await store.findServedVersion(id)).toBe(1);
  });

  it('is lost if nobody has sent its message for a while', async () => {
    await versions.request(id);
    expect(await versions.findLost(now, 10)).toEqual([]);
    now += 1;
    expect(await versions.findLost(now, 10)).toEqual([{ classifier: id, version: 1 }]);
    await versions.markSent(id, 1);
    expect(await versions.findLost(now, 10)).toEqual([]);
  });

  it('makes old versions surplus, never the one that answers', async () => {
    for (let version = 1; version <= maxClassifierVersions + 3; version++) {
      await versions.request(id);
      await versions.finish(id, version, outcome);
    }
    await store.serve(id, 1);
    // 23 versions, of which 1 answers and 20 are kept beside it.
    expect(await versions.findSurplus(id)).toEqual([3, 2]);
  });
});

describe('quotas', () => {
  it('of classifiers count what a payer has, not what was deleted', async () => {
    const make = () => store.create(createClassifierId(), teacher, { name: 'x', base });
    for (let count = 1; count < maxClassifiers; count++) expect(await make()).toBe(true);
    expect(await make()).toBe(false);
    const other = { owner: 'public', payer: 'ip:192.0.2.1' };
    expect(await store.create(createClassifierId(), other, { name: 'x', base })).toBe(true);
    await store.markDeleted(id);
    expect(await make()).toBe(true);
  });

  it('of photos let one move that is there', async () => {
    for (let index = 0; index < maxClassifierExamples; index++)
      expect(await add(`${index}`, 'cat')).toBe('added');
    expect(await add('one more', 'cat')).toBe('full');
    expect(await add('0', 'dog')).toBe('moved');
    expect(await add('0', 'dog')).toBe('duplicate');
    expect(await add('0', 'no such class')).toBe('gone');
  });

  it('of classes', async () => {
    const names = Array.from({ length: maxClassifierClasses - 2 }, (_, index) => `class ${index}`);
    expect(await examples.addClasses(id, names)).toBe(true);
    expect(await examples.addClasses(id, ['one more'])).toBe(false);
    expect(await examples.addClasses(id, ['cat'])).toBe(true);
  });
});

describe('examples', () => {
  it('count by class in the order in which classes came, and go with their class', async () => {
    await add('a', 'dog');
    await add('b', 'dog');
    await add('c', 'cat');
    expect(await examples.countByClass(id)).toEqual([
      { name: 'cat', examples: 1 },
      { name: 'dog', examples: 2 },
    ]);
    const { revision } = (await store.find(id))!;
    expect(await examples.removeClass(id, 'dog')).toEqual({ wasThere: true, examples: ['a', 'b'] });
    expect((await store.find(id))!.revision).toBe(revision + 2);
    expect(await examples.removeClass(id, 'dog')).toEqual({ wasThere: false, examples: [] });
  });

  it('come in pages, by id', async () => {
    for (const example of ['c', 'a', 'b']) await add(example, 'cat');
    expect((await examples.list(id, 2)).map((row) => row.id)).toEqual(['a', 'b']);
    expect((await examples.list(id, 2, 'b')).map((row) => row.id)).toEqual(['c']);
    expect(await examples.list(id, 2, '', 'dog')).toEqual([]);
  });
});

describe('imports', () => {
  it('wait, fail with a reason, and go when the example is there', async () => {
    const imports = new ImportStore(db, () => now);
    const both = await imports.add(id, 'cat', [{ url: 'https://x.example/1' }, { r2_key: 'two' }]);
    const [first, second] = both!;
    expect(await imports.count(id)).toEqual({ waiting: 2, failed: 0 });
    await imports.noteAttempt(first!);
    await imports.fail(first!, { code: 'url_unreachable', detail: 'Nothing there.' });
    expect((await imports.findWaiting([first!, second!])).map((row) => row.reference)).toEqual([
      { r2_key: 'two' },
    ]);
    await imports.delete(second!);
    expect(await imports.count(id)).toEqual({ waiting: 0, failed: 1 });
    now += 1;
    expect(await imports.findStalled(now, 10)).toEqual([]);
  });

  it('count against the photos of a classifier, and are none of a deleted one', async () => {
    const imports = new ImportStore(db, () => now);
    const references = Array.from({ length: 1000 }, (_, index) => ({ r2_key: `${index}` }));
    for (let count = 0; count < maxClassifierExamples; count += references.length) {
      const added = await imports.add(id, 'cat', references.slice(0, maxClassifierExamples - count));
      expect(added).toHaveLength(Math.min(references.length, maxClassifierExamples - count));
    }
    expect(await imports.add(id, 'cat', references.slice(0, 1))).toBeUndefined();
    await examples.removeClass(id, 'cat');
    expect(await imports.count(id)).toEqual({ waiting: 0, failed: 0 });
    await store.markDeleted(id);
    expect(await imports.add(id, 'dog', references)).toBeUndefined();
    expect(await examples.addClasses(id, ['bird'])).toBe(false);
  });
});

describe('a version', () => {
  it('that failed is followed by another if somebody asked with other examples', async () => {
    await versions.request(id);
    await versions.begin(id, 1);
    await add('a', 'cat');
    await versions.request(id);
    expect(await versions.fail(id, 1, { code: 'classifier_not_trainable', detail: '' })).toBe(true);
    expect(await versions.request(id)).toEqual({ version: 2, isNew: true });
    expect(await versions.fail(id, 2, { code: 'classifier_not_trainable', detail: '' })).toBe(false);
  });

  it('that answers by now is not trimmed', async () => {
    for (const version of [1, 2]) {
      await versions.request(id);
      await versions.finish(id, version, outcome);
    }
    await store.serve(id, 1);
    expect(await versions.deleteSurplus(id, 1)).toBe(false);
    expect(await versions.deleteSurplus(id, 2)).toBe(true);
  });
});
