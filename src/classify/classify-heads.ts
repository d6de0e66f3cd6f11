import { CodedError } from '../errors.ts';
import type { CatalogReader } from '../model/catalog-reader.ts';
import type { HeadCache } from '../model/head-cache.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { ClassifyChoice } from './choice.ts';
import type { Classification, HeadAnswer } from './classification.ts';
import { toPredictions } from './classify.ts';
import type { ClassifyContext } from './classify-context.ts';
import type { Features } from './features.ts';
import { classifyFeatures } from './head-session.ts';
import { isUnknown } from './is-unknown.ts';

interface HeadServices {
  readonly features: Features;
  readonly catalog: CatalogReader;
  readonly heads: HeadCache;
}

/**
 * One image for several heads of one backbone: it is decoded once, and its features are computed once.
 *
 * @param manifests of heads, at least one.
 * @returns the first head's answer, with those of the others in order.
 * @throws {CodedError} `option_invalid` if the heads have different backbones; as `Classifier.classify`.
 */
export async function classifyHeads(
  bytes: Uint8Array,
  manifests: readonly ModelManifest[],
  choice: ClassifyChoice,
  context: ClassifyContext,
  { features, catalog, heads }: HeadServices,
): Promise<Classification> {
  const [first] = manifests;
  const backbone = first?.backbone;
  const isShared = manifests.every(
    (one) =>
      one.backbone && one.backbone.name === backbone?.name && one.backbone.version === backbone.version,
  );
  if (!first || !isShared) {
    throw new CodedError(
      'option_invalid',
      'model: several names must be heads of one version of one backbone.',
    );
  }
  const embedding = await features.embed(bytes, first, { ...choice, layers: 'all' }, context);
  const answers: HeadAnswer[] = [];
  for (const manifest of manifests) {
    const head = await heads.read(manifest);
    const { data, similarity } = classifyFeatures(head, embedding.features);
    const predictions = toPredictions(data, manifest, await catalog.readLabels(manifest), choice);
    answers.push({
      model: manifest.name,
      model_version: manifest.version,
      predictions,
      ...(isUnknown(head, choice.scoring, predictions, similarity) && ({ unknown: true } as const)),
    });
  }
  const [answer, ...others] = answers;
  if (!answer) throw new CodedError('inference_failed', 'There is no head.');
  return { ...answer, tier: 'edge', image: embedding.image, others };
}
