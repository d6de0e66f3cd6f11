import type { Classifier } from '../src/classify/classifier.ts';
import type { ClassifyContext } from '../src/classify/classify-context.ts';
import { Gate } from '../src/classify/gate.ts';
import { CodedError } from '../src/errors.ts';
import type { LessonMessage } from '../src/jobs/classifiers/classifier.ts';
import { ClassifierServices } from '../src/jobs/classifiers/classifier-services.ts';
import matrixRoutines from '../src/learn/matrix/matrix-routines.wasm';
import { fetchPublic } from '../src/lib/net/fetch-public.ts';
import type { UrlPolicy } from '../src/lib/net/url-policy.ts';
import type { Log } from '../src/lib/observe/write-log.ts';
import { readR2Object } from '../src/lib/read-r2-object.ts';
import { yieldToOthers } from '../src/lib/yield-to-others.ts';
import { edgeItemWaitMs, maxBodyBytes, maxLessonMs } from '../src/limits.ts';
import type { CatalogReader } from '../src/model/catalog-reader.ts';
import { parseBatchSettings } from './batch-settings.ts';
import type { BatchEnv } from './edge-batches.ts';

/** A deployment teaches only if it has this queue, the database and the buckets. */
export interface ClassifierBindings {
  readonly LESSONS?: Queue<LessonMessage>;
}

interface ClassifierParts {
  readonly classifier: Classifier;
  readonly catalog: CatalogReader;
  readonly urls: UrlPolicy;
  readonly log: Log;
}

/** @throws {CodedError} `configuration_invalid`. */
export function composeClassifiers(
  env: BatchEnv & ClassifierBindings & { readonly MODELS: R2Bucket },
  { classifier, catalog, urls, log }: ClassifierParts,
): ClassifierServices | undefined {
  const { BATCHES_DB: db, BATCHES: bucket, LESSONS: queue, MODELS: models, IMAGES_BUCKET: images } = env;
  if (!db || !bucket || !queue) return undefined;
  const { stallMs, retryBaseSeconds } = parseBatchSettings(env);
  const readBase = (base: { readonly name: string; readonly version: string }) =>
    catalog.readManifest(base.name, base.version);
  return new ClassifierServices({
    db,
    bucket,
    models,
    queue,
    lessons: new Gate({ capacity: 1, maxWaiting: 16, maxHoldMs: maxLessonMs }),
    async readBase(base) {
      const manifest = await readBase(base);
      return { manifest, blocks: await classifier.features.measureBlocks(manifest, toContext()) };
    },
    async readViews(bytes, base) {
      const { vectors } = await classifier.features.embedViews(bytes, await readBase(base), toContext());
      return vectors;
    },
    async fetchImage(reference) {
      if ('url' in reference) return await fetchPublic(reference.url, urls, { maxBytes: maxBodyBytes });
      const bytes = images && (await readR2Object(images, reference.r2_key, maxBodyBytes));
      if (bytes) return bytes;
      throw new CodedError('image_not_found', `There is no object "${reference.r2_key.slice(0, 200)}".`);
    },
    matrixRoutines,
    pause: yieldToOthers,
    onServed: (name) => catalog.forgetVersion(name),
    stallMs,
    retryBaseSeconds,
    log,
  });
}

/** The context of work from the queue: its consumer awaits it, and there is no client that could go away. */
const toContext = (): ClassifyContext => ({
  keepAlive: () => undefined,
  isCancelled: () => false,
  deadline: Date.now() + edgeItemWaitMs,
});
