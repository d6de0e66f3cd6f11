import { z } from 'zod';
import { CodedError } from '../src/errors.ts';
import { toProblem } from '../src/http/problem.ts';
import { defaultTopK, maxBatchTopK } from '../src/limits.ts';
import { ObjectLabels } from '../src/object-labels/object-labels.ts';
import { type BatchSettings, invalidVariable, list } from './batch-settings.ts';
import { type BatchEnv, composeRunners, type EdgeParts } from './edge-batches.ts';

/** src/object-labels/README.md says what each is for. */
const settingsSchema = z.object({
  OBJECT_EVENTS_BUCKET: z.string().min(1).optional(),
  OBJECT_PREFIX: z.string().default(''),
  OBJECT_SUFFIXES: list,
  OBJECT_MODEL: z.string().optional(),
  OBJECT_TOP_K: z.coerce.number().int().min(1).max(maxBatchTopK).default(defaultTopK),
  OBJECT_METADATA: z.enum(['on', 'off']).default('off'),
});

/**
 * Labels of what R2's event notifications report; undefined where the deployment names no bucket.
 *
 * @throws {CodedError} `configuration_invalid`.
 */
export function composeObjects(
  env: BatchEnv,
  batchSettings: BatchSettings,
  parts: EdgeParts,
): ObjectLabels | undefined {
  const { success, data: settings, error } = settingsSchema.safeParse(env);
  if (!success) throw invalidVariable(error);
  const { BATCHES_DB: db, IMAGES_BUCKET: bucket } = env;
  const { OBJECT_EVENTS_BUCKET: name, OBJECT_MODEL: model } = settings;
  if (!name) return undefined;
  if (!db || !bucket) {
    throw new CodedError(
      'configuration_invalid',
      'OBJECT_EVENTS_BUCKET needs the bindings IMAGES_BUCKET and BATCHES_DB.',
    );
  }
  const { edge, node, resolveModel } = composeRunners(batchSettings, parts);
  return new ObjectLabels({
    db,
    bucket,
    filter: { bucket: name, prefix: settings.OBJECT_PREFIX, suffixes: settings.OBJECT_SUFFIXES },
    runner: node ?? edge,
    resolveModel: () => resolveModel(model),
    topK: settings.OBJECT_TOP_K,
    writeMetadata: settings.OBJECT_METADATA === 'on',
    retryBaseSeconds: batchSettings.retryBaseSeconds,
    toProblem,
    log: parts.log,
  });
}
