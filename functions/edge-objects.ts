import { z } from 'zod';
import { CodedError } from '../src/errors.ts';
import { ObjectLabels } from '../src/jobs/objects/object-labels.ts';
import { defaultTopK, maxBatchTopK } from '../src/limits.ts';
import { retryBaseSeconds } from './batch-settings.ts';
import type { BatchEnv, EdgeParts } from './edge-batches.ts';
import { list, number, parseVariables } from './variables.ts';

/** docs/batches-and-webhooks.md says what each is for. */
const settingsSchema = z.object({
  OBJECT_EVENTS_BUCKET: z.string().min(1),
  OBJECT_PREFIX: z.string().default(''),
  OBJECT_SUFFIXES: list,
  OBJECT_MODEL: z.string().optional(),
  OBJECT_TOP_K: number.pipe(z.int().min(1).max(maxBatchTopK)).default(defaultTopK),
  OBJECT_METADATA: z.enum(['on', 'off']).default('off'),
  BATCH_RETRY_BASE_SECONDS: retryBaseSeconds,
});

/**
 * Labels of the objects that R2's event notifications report; undefined if the deployment names no bucket.
 *
 * @throws {CodedError} `configuration_invalid`.
 */
export function composeObjects(
  env: BatchEnv & { readonly OBJECT_EVENTS_BUCKET?: string },
  { runners: { edge, node, resolveModel }, log }: EdgeParts,
): ObjectLabels | undefined {
  if (env.OBJECT_EVENTS_BUCKET === undefined) return undefined;
  const settings = parseVariables(settingsSchema, env);
  const { BATCHES_DB: db, IMAGES_BUCKET: bucket } = env;
  if (!db || !bucket) {
    throw new CodedError(
      'configuration_invalid',
      'OBJECT_EVENTS_BUCKET needs the bindings IMAGES_BUCKET and BATCHES_DB.',
    );
  }
  return new ObjectLabels({
    db,
    bucket,
    filter: {
      bucket: settings.OBJECT_EVENTS_BUCKET,
      prefix: settings.OBJECT_PREFIX,
      suffixes: settings.OBJECT_SUFFIXES,
    },
    runner: node ?? edge,
    resolveModel: () => resolveModel(settings.OBJECT_MODEL),
    topK: settings.OBJECT_TOP_K,
    writeMetadata: settings.OBJECT_METADATA === 'on',
    retryBaseSeconds: settings.BATCH_RETRY_BASE_SECONDS,
    log,
  });
}
