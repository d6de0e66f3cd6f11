import { CodedError } from '../../errors.ts';
import { digestHex } from '../../lib/digest.ts';
import { maxCallerExamples, maxClassifierExamples } from '../../limits.ts';
import type { ExampleStore } from './example-store.ts';
import type { FeatureStore } from './feature-store.ts';

export interface AddServices {
  readonly examples: ExampleStore;
  readonly features: FeatureStore;
}

/** A photo to learn from. */
export interface NewExample {
  readonly bytes: Uint8Array;
  readonly class: string;
  /** A name by which a person knows the photo. */
  readonly name: string;
}

export interface AddedExample {
  readonly id: string;
  readonly class: string;
  readonly name: string;
  /** Whether the same picture was in this class already. */
  readonly duplicate: boolean;
}

/**
 * Stores the features of a photo. A photo that is stored already costs no inference, and moves to the given class.
 *
 * @param readViews FP32 of length 1, one vector a view.
 * @param addClass makes the class, if it is not there.
 * @throws {CodedError} `classifier_quota_exceeded`, `classifier_unknown`; what `readViews` throws.
 */
export async function addExample(
  classifier: string,
  { bytes, class: label, name }: NewExample,
  readViews: () => Promise<readonly Float32Array[]>,
  addClass: () => Promise<void>,
  { examples, features }: AddServices,
): Promise<AddedExample> {
  const id = await digestHex(bytes);
  const isKnown =
    (await examples.findClass(classifier, id)) !== undefined && (await features.has(classifier, id));
  if (!isKnown) await features.put(classifier, id, await readViews());
  // After reading the photo, so that a photo that cannot be read leaves no class behind.
  await addClass();
  const outcome = await examples.add(classifier, { id, class: label, name });
  if (outcome === 'full' || outcome === 'gone') {
    // Another request may have added the same picture meanwhile.
    const isNobodys = (await examples.findClass(classifier, id)) === undefined;
    if (isNobodys) await features.delete(classifier, [id]);
    throw outcome === 'gone'
      ? new CodedError('classifier_unknown', 'The classifier or the class was deleted meanwhile.')
      : new CodedError(
          'classifier_quota_exceeded',
          `A classifier learns from ${maxClassifierExamples} photos at most, and all of a caller's from ${maxCallerExamples}.`,
        );
  }
  // While the photo moved, its old class may have been deleted, and its features with the class.
  if (isKnown && !(await features.has(classifier, id))) await features.put(classifier, id, await readViews());
  return { id, class: label, name, duplicate: outcome === 'duplicate' };
}
