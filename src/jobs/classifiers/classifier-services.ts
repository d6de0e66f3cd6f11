import type { D1Database, Message, Queue, R2Bucket } from '@cloudflare/workers-types';
import type { Gate } from '../../classify/gate.ts';
import { CodedError } from '../../errors.ts';
import type { Log } from '../../lib/observe/write-log.ts';
import {
  anonymousClassifierMs,
  maxClassifierClasses,
  maxClassifierExamples,
  maxClassifiers,
} from '../../limits.ts';
import { type AddedExample, addExample, type NewExample } from './add-example.ts';
import {
  type ClassifierOverview,
  createClassifierId,
  type ImportReference,
  isClassifierId,
  type LessonMessage,
  type TaughtClassifier,
  type Teacher,
} from './classifier.ts';
import { ClassifierStore } from './classifier-store.ts';
import {
  type ConsumeServices,
  consumeDeadLessons,
  consumeLessons,
  requestLesson,
  sendNextImports,
} from './consume-lessons.ts';
import { ExampleStore } from './example-store.ts';
import { FeatureStore } from './feature-store.ts';
import { HeadStore } from './head-store.ts';
import { ImportStore } from './import-store.ts';
import { VersionStore } from './version-store.ts';

export interface ClassifierConfiguration
  extends Pick<
    ConsumeServices,
    | 'queue'
    | 'readBase'
    | 'matrixRoutines'
    | 'pause'
    | 'fetchImage'
    | 'readViews'
    | 'onServed'
    | 'retryBaseSeconds'
    | 'log'
  > {
  readonly db: D1Database;
  /** Holds features. */
  readonly bucket: R2Bucket;
  /** Holds the versions that are served. */
  readonly models: R2Bucket;
  readonly queue: Queue<LessonMessage>;
  readonly lessons: Gate;
  /** If a lesson or an import makes no progress for this time, its message is sent again. */
  readonly stallMs: number;
  readonly log: Log;
}

/** The owner of classifiers that were made without a key. */
const anonymous = 'public';
/** Most items of each kind in one sweep. The next sweep goes on. */
const maxSwept = 100;

/** Everything about taught classifiers that HTTP, the queues and the clock call. */
export class ClassifierServices {
  readonly store: ClassifierStore;
  readonly versions: VersionStore;
  readonly examples: ExampleStore;
  readonly imports: ImportStore;
  readonly heads: HeadStore;
  readonly #features: FeatureStore;
  readonly #configuration: ClassifierConfiguration;
  readonly #consume: ConsumeServices;

  constructor(configuration: ClassifierConfiguration) {
    const { db, bucket, models } = configuration;
    this.#configuration = configuration;
    this.store = new ClassifierStore(db);
    this.versions = new VersionStore(db);
    this.examples = new ExampleStore(db);
    this.imports = new ImportStore(db);
    this.heads = new HeadStore(models);
    this.#features = new FeatureStore(bucket);
    this.#consume = {
      ...configuration,
      store: this.store,
      versions: this.versions,
      examples: this.examples,
      imports: this.imports,
      heads: this.heads,
      features: this.#features,
      addClass: (id, label) => this.addClasses(id, [label]),
    };
  }

  /** The version that answers under a name, if it is a classifier's id. */
  async findServedVersion(name: string): Promise<string | undefined> {
    const version = isClassifierId(name) ? await this.store.findServedVersion(name) : undefined;
    return version?.toString();
  }

  /** @throws {CodedError} `classifier_quota_exceeded`. */
  async create(
    teacher: Teacher,
    { classes, ...fields }: Pick<TaughtClassifier, 'name' | 'base'> & { readonly classes: readonly string[] },
  ): Promise<TaughtClassifier> {
    const id = createClassifierId();
    if (!(await this.store.create(id, teacher, fields))) {
      throw new CodedError(
        'classifier_quota_exceeded',
        `A caller has ${maxClassifiers} classifiers at most.`,
      );
    }
    try {
      await this.addClasses(id, classes);
    } catch (error) {
      // The request fails, so nobody would know the classifier's id.
      await this.delete(id);
      throw error;
    }
    const made = await this.store.find(id);
    if (made) return made;
    throw new CodedError('classifier_unknown', 'The classifier was deleted meanwhile.');
  }

  /** @throws {CodedError} `classifier_quota_exceeded`. */
  async addClasses(id: string, names: readonly string[]): Promise<void> {
    if (await this.examples.addClasses(id, names)) return;
    if (!(await this.store.find(id)))
      throw new CodedError('classifier_unknown', 'The classifier was deleted meanwhile.');
    throw new CodedError(
      'classifier_quota_exceeded',
      `A classifier has ${maxClassifierClasses} classes at most.`,
    );
  }

  async describe(classifier: TaughtClassifier): Promise<ClassifierOverview> {
    const { id } = classifier;
    const [classes, versions, imports] = await Promise.all([
      this.examples.countByClass(id),
      this.versions.list(id),
      this.imports.count(id),
    ]);
    return { classifier, classes, versions, imports };
  }

  /** @see addExample */
  async addExample(
    classifier: TaughtClassifier,
    example: NewExample,
    readViews: () => Promise<readonly Float32Array[]>,
  ): Promise<AddedExample> {
    const addClass = () => this.addClasses(classifier.id, [example.class]);
    return await addExample(classifier.id, example, readViews, addClass, {
      examples: this.examples,
      features: this.#features,
    });
  }

  /** @throws {CodedError} `example_unknown`. */
  async removeExample(id: string, example: string): Promise<void> {
    if (!(await this.examples.remove(id, example)))
      throw new CodedError('example_unknown', 'The classifier has no example of this id.');
    await this.#features.delete(id, [example]);
  }

  /** @throws {CodedError} `example_unknown`. */
  async removeClass(id: string, name: string): Promise<void> {
    const { wasThere, examples } = await this.examples.removeClass(id, name);
    if (!wasThere) throw new CodedError('example_unknown', 'The classifier has no class of this name.');
    await this.#features.delete(id, examples);
  }

  /** Stores references to photos, which the queue's consumer fetches. */
  async importExamples(id: string, label: string, references: readonly ImportReference[]): Promise<void> {
    if (!(await this.imports.add(id, label, references))) {
      throw (await this.store.find(id))
        ? new CodedError(
            'classifier_quota_exceeded',
            `A classifier learns from ${maxClassifierExamples} photos at most, those that wait included.`,
          )
        : new CodedError('classifier_unknown', 'The classifier was deleted meanwhile.');
    }
    await sendNextImports(id, this.#consume);
  }

  /**
   * @returns the number of the version that is being trained.
   * @throws {CodedError} `classifier_not_trainable`, `classifier_unknown`.
   */
  async train(id: string): Promise<number> {
    const filled = (await this.examples.countByClass(id)).filter(({ examples }) => examples > 0);
    if (filled.length < 2) {
      throw new CodedError('classifier_not_trainable', 'Two classes need a photo each, or more.');
    }
    return await requestLesson(id, this.#consume);
  }

  /** @throws {CodedError} `classifier_version_unknown`. */
  async serve(id: string, version: number): Promise<void> {
    if (!(await this.store.serve(id, version)))
      throw new CodedError('classifier_version_unknown', 'There is no such version that is ready.');
    this.#configuration.onServed(id);
  }

  /** Deletes a classifier: from now on nobody finds it. If deleting its objects fails, the sweep does it. */
  async delete(id: string): Promise<void> {
    await this.store.markDeleted(id);
    this.#configuration.onServed(id);
    await this.#purge(id);
  }

  consume(messages: readonly Message<unknown>[]): Promise<void> {
    return consumeLessons(messages, this.#consume);
  }

  consumeDead(messages: readonly Message<unknown>[]): Promise<void> {
    return consumeDeadLessons(messages, this.#consume);
  }

  /** Sends lost messages again, and finishes the deletion of deleted classifiers and of old ones of anonymous callers. */
  async sweep(now: number = Date.now()): Promise<void> {
    const { queue, stallMs } = this.#configuration;
    for (const { classifier, version } of await this.versions.findLost(now - stallMs, maxSwept)) {
      await queue.send({ classifier, version }, { contentType: 'json' });
      await this.versions.markSent(classifier, version);
    }
    for (const id of await this.imports.findStalled(now - stallMs, maxSwept)) {
      await this.imports.forgetSent(id);
      await sendNextImports(id, this.#consume);
    }
    await this.store.markAbandoned(anonymous, now - anonymousClassifierMs, maxSwept);
    for (const id of await this.store.findDeleted(maxSwept)) await this.#purge(id);
  }

  async #purge(id: string): Promise<void> {
    await this.#features.deleteAll(id);
    await this.heads.deleteAll(id);
    await this.store.purge(id);
  }
}
