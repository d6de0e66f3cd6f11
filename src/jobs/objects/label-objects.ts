import type { Message, R2Bucket } from '@cloudflare/workers-types';
import { defaultChoice } from '../../classify/choice.ts';
import type { ItemResult } from '../../classify/classification.ts';
import { CodedError } from '../../errors.ts';
import type { Log } from '../../lib/observe/write-log.ts';
import { maxBodyBytes, maxItemAttempts } from '../../limits.ts';
import { toProblem } from '../../problem.ts';
import { type ChunkItem, type ChunkRunner, TierTrouble } from '../../tier/client/chunk-runner.ts';
import { retryDelay } from '../batch/consume-chunks.ts';
import type { BatchModel } from '../batch/submit-batch.ts';
import { type ObjectFilter, readObjectKey } from './object-event.ts';
import type { ObjectLabelStore } from './object-label-store.ts';
import { writeLabels } from './write-labels.ts';

export interface LabelServices {
  readonly store: ObjectLabelStore;
  readonly bucket: R2Bucket;
  readonly filter: ObjectFilter;
  readonly runner: ChunkRunner;
  /** @throws {CodedError} `model_*`. */
  readonly resolveModel: () => Promise<BatchModel>;
  readonly topK: number;
  /** Whether labels go into the objects' custom metadata too. */
  readonly writeMetadata: boolean;
  readonly retryBaseSeconds: number;
  readonly log: Log;
}

/** After this many attempts an object is tried alone, because it may be the one that kills the tier. */
const sharedAttempts = 2;

/**
 * Consumer of R2's event notifications. The bucket is the truth, an event only wakes the consumer. The current content
 * of an object gets a row, and the rows of older contents are deleted. Each message is acknowledged or sent back by
 * itself, after its row is stored.
 */
export async function labelObjects(
  messages: readonly Message<unknown>[],
  services: LabelServices,
): Promise<void> {
  const waiting = groupByKey(messages, services);
  const shared = waiting.filter(({ attempts }) => attempts <= sharedAttempts);
  const alone = waiting.filter(({ attempts }) => attempts > sharedAttempts);
  for (const group of [shared, ...alone.map((one) => [one])]) {
    if (group.length > 0) await new LabelRun(group, services).run();
  }
}

/** Consumer of the dead-letter queue: the object's row says that it was given up. The reasons are in the log. */
export async function giveUpObjects(
  messages: readonly Message<unknown>[],
  services: LabelServices,
): Promise<void> {
  const { store, bucket, log, retryBaseSeconds } = services;
  for (const waiting of groupByKey(messages, services)) {
    const { key } = waiting;
    try {
      const object = await bucket.head(key);
      const error = new CodedError('batch_retries_exhausted', 'Given up after many attempts.');
      if (object) await store.put(key, object.etag, { problem: toProblem(error) });
      else await store.forgetOthers(key, undefined);
      await assertStill(bucket, key, object?.etag);
      log('error', { event: 'object_given_up', key });
      waiting.ack();
    } catch (error) {
      log('error', { event: 'object_dead_letter_failed', key, error });
      waiting.retry(retryDelay(waiting.attempts, retryBaseSeconds));
    }
  }
}

/** The messages of one key. */
interface Waiting {
  readonly key: string;
  readonly attempts: number;
  ack(): void;
  retry(delaySeconds: number): void;
}

function groupByKey(messages: readonly Message<unknown>[], { filter }: LabelServices): Waiting[] {
  const byKey = new Map<string, Message<unknown>[]>();
  for (const message of messages) {
    const key = readObjectKey(message.body, filter);
    if (key === undefined) message.ack();
    else byKey.set(key, [...(byKey.get(key) ?? []), message]);
  }
  return Array.from(byKey, ([key, own]) => ({
    key,
    attempts: Math.max(...own.map(({ attempts }) => attempts)),
    ack: () => own.forEach((message) => void message.ack()),
    retry: (delaySeconds) => own.forEach((message) => void message.retry({ delaySeconds })),
  }));
}

/** One request to the runner, with the objects of the group that need labels. */
class LabelRun {
  readonly #group: readonly Waiting[];
  readonly #services: LabelServices;
  readonly #given = new Set<Waiting>();
  readonly #settled = new Set<Waiting>();

  constructor(group: readonly Waiting[], services: LabelServices) {
    this.#group = group;
    this.#services = services;
  }

  async run(): Promise<void> {
    const { runner, resolveModel, topK } = this.#services;
    const etags = new Map<Waiting, string>();
    for (const one of this.#group) {
      await this.#attempt(one, async () => {
        const etag = await this.#findNew(one);
        if (etag !== undefined) etags.set(one, etag);
      });
    }
    if (etags.size === 0) return;
    const sent = [...etags.keys()];
    let trouble: unknown;
    try {
      const { model, modelVersion } = await resolveModel();
      const results = runner.run(
        { model, modelVersion, topK, ...defaultChoice },
        sent.length,
        this.#gather(etags),
      );
      for await (const { index, result } of results) {
        const one = sent[index];
        // Ignores a result for an object that the tier was not given.
        if (one && this.#given.has(one) && !this.#settled.has(one))
          await this.#attempt(one, () => this.#keep(one, etags.get(one)!, result));
      }
    } catch (error) {
      trouble = error;
    }
    for (const one of sent.filter((each) => !this.#settled.has(each))) {
      await this.#attempt(one, () => this.#blame(one, etags.get(one)!, trouble));
    }
  }

  /** Compares row and bucket. @returns the etag of the content to label; undefined if there is none. */
  async #findNew(one: Waiting): Promise<string | undefined> {
    const { store, bucket } = this.#services;
    const { key } = one;
    const object = await bucket.head(key);
    const row = await store.find(key);
    if (!object || row?.etag === object.etag) {
      await store.forgetOthers(key, object?.etag);
      await assertStill(bucket, key, object?.etag);
      this.#settle(one);
      return undefined;
    }
    const { etag, size } = object;
    if (size <= maxBodyBytes) return etag;
    const error = new CodedError('body_too_large', `${size} bytes, at most ${maxBodyBytes} are taken.`);
    await this.#keep(one, etag, { problem: toProblem(error) });
    return undefined;
  }

  async *#gather(etags: ReadonlyMap<Waiting, string>): AsyncGenerator<ChunkItem, void, undefined> {
    let index = 0;
    for (const [one, etagMatches] of etags) {
      let bytes: Uint8Array | undefined;
      await this.#attempt(one, async () => {
        const object = await this.#services.bucket.get(one.key, { onlyIf: { etagMatches } });
        if (!object || !('body' in object)) throw changed();
        bytes = new Uint8Array(await object.arrayBuffer());
      });
      if (bytes) {
        this.#given.add(one);
        yield { index, bytes };
      }
      index++;
    }
  }

  async #keep(one: Waiting, etag: string, result: ItemResult): Promise<void> {
    const { store, bucket, writeMetadata } = this.#services;
    const { key } = one;
    const now = writeMetadata ? await writeLabels(bucket, key, etag, result) : etag;
    if (now !== undefined) await store.put(key, now, result);
    if (now === undefined) throw changed();
    await assertStill(bucket, key, now);
    this.#settle(one);
  }

  /** Sends an object without a result back, or gives it up if it kills the tier whenever it is tried alone. */
  async #blame(one: Waiting, etag: string, trouble: unknown): Promise<void> {
    const died = trouble instanceof TierTrouble && trouble.died;
    if (!died || this.#group.length > 1 || one.attempts < maxItemAttempts) {
      throw trouble ?? new TierTrouble('garbage', 'The tier left it out.');
    }
    const error = new CodedError('batch_tier_unavailable', `The batch tier died: ${trouble.message}`);
    await this.#keep(one, etag, { problem: toProblem(error) });
  }

  #settle(one: Waiting): void {
    this.#settled.add(one);
    one.ack();
  }

  /** Runs `work` for one object. A failure does not stop the work for the others. */
  async #attempt(one: Waiting, work: (one: Waiting) => Promise<void>): Promise<void> {
    try {
      await work(one);
    } catch (error) {
      const { log, retryBaseSeconds } = this.#services;
      const asked = error instanceof TierTrouble ? error.retryAfterSeconds : undefined;
      const delaySeconds = retryDelay(one.attempts, retryBaseSeconds, asked);
      log('error', {
        event: 'object_retried',
        key: one.key,
        attempts: one.attempts,
        delay_seconds: delaySeconds,
        error,
      });
      this.#settled.add(one);
      one.retry(delaySeconds);
    }
  }
}

/**
 * Call it after rows were written or deleted. If the object was changed meanwhile, its event may already have been
 * handled, and the row of that event may have been deleted with the rows of other etags.
 */
async function assertStill(bucket: R2Bucket, key: string, etag: string | undefined): Promise<void> {
  if ((await bucket.head(key))?.etag !== etag) throw changed();
}

function changed(): Error {
  return new Error('The object has changed meanwhile.');
}
