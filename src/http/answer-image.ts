import type { Context } from 'hono';
import type { ClassifyChoice } from '../classify/choice.ts';
import type { ImageInfo } from '../classify/classification.ts';
import type { Answer } from '../classify/classifier.ts';
import type { ClassifyContext } from '../classify/classify-context.ts';
import { CodedError } from '../errors.ts';
import { maxHeadsPerRequest } from '../limits.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { HonoEnv } from './context.ts';
import { toKnownCaller, toPayer } from './middleware/access.ts';
import { toModelLabel } from './model-label.ts';

/** The model a request means: a catalogue name, or a name other APIs use for one. */
export async function readModel(c: Context<HonoEnv>, name: string | undefined): Promise<ModelManifest> {
  const { catalog, modelAliases } = c.get('options');
  const { aliases } = await catalog.readCatalog();
  const manifest = await catalog.readManifest(
    name === undefined ? undefined : (aliases.get(name) ?? modelAliases?.get(name) ?? name),
  );
  const version = `${manifest.name}/${manifest.version}`;
  c.get('record').model = version;
  // An alias such as @cf/microsoft/resnet-50 does not tell which model answers. This header does.
  c.header('x-model-version', version);
  return manifest;
}

/**
 * The models a request means: one, or several heads of one backbone with commas between their names.
 *
 * @throws {CodedError} `option_invalid`; `model_*`.
 */
export async function readModels(
  c: Context<HonoEnv>,
  names: string | undefined,
): Promise<readonly [ModelManifest, ...ModelManifest[]]> {
  const [name, ...others] = names?.split(',') ?? [undefined];
  if (others.length >= maxHeadsPerRequest) {
    throw new CodedError('option_invalid', `model: at most ${maxHeadsPerRequest} heads are asked at once.`);
  }
  const more: ModelManifest[] = [];
  for (const other of others) more.push(await readModel(c, other));
  // Read last, so that the header names the model that stands first in the answer.
  return [await readModel(c, name), ...more];
}

/** Begins to load the model, because the body may take a while to arrive. */
export function preloadModel(c: Context<HonoEnv>): void {
  const { catalog, classifier } = c.get('options');
  catalog
    .readManifest(c.req.query('model')?.split(',', 1)[0])
    .then((expected) => classifier.preload(expected, c.get('keepAlive')))
    .catch(() => undefined);
}

/** Classifies one image of a request and notes what it was; every dialect answers from here. */
export async function answerImage(
  c: Context<HonoEnv>,
  bytes: Uint8Array,
  manifest: ModelManifest,
  choice: ClassifyChoice,
  name?: string,
): Promise<Answer> {
  const { classifier, metrics } = c.get('options');
  return await recordImage(c, bytes, manifest, async (context) => {
    const answer = await classifier.classify(bytes, manifest, choice, context, name);
    const { image, predictions, tier } = answer.classification;
    const record = c.get('record');
    if (predictions[0]) record.labels = [...(record.labels ?? []), predictions[0].label];
    record.answerOrigin = answer.origin;
    record.tier = tier;
    metrics.add('resnet_edge_answer_cache_total', { result: answer.origin });
    return { image, result: answer };
  });
}

/** The same for several heads of one backbone. */
export async function answerImageOfHeads(
  c: Context<HonoEnv>,
  bytes: Uint8Array,
  manifests: readonly [ModelManifest, ...ModelManifest[]],
  choice: ClassifyChoice,
): Promise<Answer> {
  return await recordImage(c, bytes, manifests[0], async (context) => {
    const answer = await c.get('options').classifier.classifyHeads(bytes, manifests, choice, context);
    const record = c.get('record');
    record.answerOrigin = answer.origin;
    record.tier = answer.classification.tier;
    return { image: answer.classification.image, result: answer };
  });
}

/**
 * Records an image of a request in the log and in the metrics, for every kind of work.
 *
 * @param work what to do with the image; it gets the context of the request.
 * @throws {CodedError} `body_empty`; what `work` throws.
 */
export async function recordImage<T>(
  c: Context<HonoEnv>,
  bytes: Uint8Array,
  { name }: ModelManifest,
  work: (context: ClassifyContext) => Promise<{ readonly image: ImageInfo; readonly result: T }>,
): Promise<T> {
  const { metrics } = c.get('options');
  const model = toModelLabel(name);
  const record = c.get('record');
  record.images = (record.images ?? 0) + 1;
  record.imageBytes = (record.imageBytes ?? 0) + bytes.byteLength;
  metrics.add('resnet_edge_image_bytes_total', {}, bytes.byteLength);
  try {
    if (bytes.byteLength === 0) throw new CodedError('body_empty', 'The file is empty.');
    const { image, result } = await work(toContext(c));
    const pixels = image.width * image.height;
    record.imagePixels = (record.imagePixels ?? 0) + pixels;
    metrics.add('resnet_edge_image_pixels_total', {}, pixels);
    metrics.add('resnet_edge_images_total', { model, format: image.format, outcome: 'ok' });
    return result;
  } catch (error) {
    const outcome = error instanceof CodedError ? error.code : 'internal';
    metrics.add('resnet_edge_images_total', { model, format: 'unknown', outcome });
    throw error;
  }
}

/** The tenant of remembered answers: the caller, or everybody if the deployment shares answers. */
export function toTenant(c: Context<HonoEnv>): string {
  return c.get('options').sharesAnswers ? '' : toPayer(c);
}

/** RFC 9111, 5.2.1.4: a request with `no-cache` wants an answer that is computed now. */
const asksAnew = (c: Context<HonoEnv>): boolean =>
  /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(c.req.header('cache-control') ?? '');

function toContext(c: Context<HonoEnv>): ClassifyContext {
  const { metrics } = c.get('options');
  const timing = c.get('timing');
  return {
    keepAlive: c.get('keepAlive'),
    deadline: c.get('deadline'),
    isCancelled: c.get('isCancelled'),
    tenant: toTenant(c),
    caller: toKnownCaller(c),
    remembers: !asksAnew(c),
    onStage: async (stage) => {
      const seconds = await timing.lap(stage);
      if (seconds !== undefined) metrics.observe('resnet_edge_stage_duration_seconds', { stage }, seconds);
    },
  };
}
