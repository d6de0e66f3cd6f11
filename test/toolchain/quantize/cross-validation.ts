import { type QuantizeOptions, quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { type Augmentation, augmentations, type Crop, toModelInput } from './golden-images.ts';
import { argmax, relativeError, runModel } from './ort-checks.ts';

export const imageShape = [3, 224, 224] as const;

export interface Agreement {
  readonly images: number;
  /** Images whose best class is the reference's. */
  readonly sameTop1: number;
  /** See relativeError. */
  readonly logitError: number;
}

/** @returns Every view of every crop, lazily; photographs in order, views within. */
export async function* toViews(
  crops: readonly Crop[],
  views: readonly Augmentation[] = augmentations,
): AsyncGenerator<Float32Array> {
  for (const crop of crops) for (const view of views) yield toModelInput(crop, view);
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/**
 * Logits of quantized models on photographs that none of them was calibrated with: photograph i is held out
 * by fold i % folds, all of its views with it.
 *
 * @param views what each photograph is seen as.
 * @returns Logits per photograph and view, in the order of toViews.
 */
export async function crossValidate(
  source: Uint8Array,
  crops: readonly Crop[],
  folds: number,
  views: { readonly calibration: readonly Augmentation[]; readonly heldOut: readonly Augmentation[] },
  options: Omit<QuantizeOptions, 'calibration'>,
): Promise<Float32Array[]> {
  const byCrop: Float32Array[][] = crops.map(() => []);
  for (let fold = 0; fold < folds; fold++) {
    const calibration = toViews(
      crops.filter((_, i) => i % folds !== fold),
      views.calibration,
    );
    const { model } = await quantizeModel(source, { ...options, calibration });
    const heldOut = crops.map((_, i) => i).filter((i) => i % folds === fold);
    const images = await collect(
      toViews(
        heldOut.map((i) => crops[i] as Crop),
        views.heldOut,
      ),
    );
    const logits = await runModel(model, images, imageShape);
    heldOut.forEach((crop, n) => {
      byCrop[crop] = logits.slice(n * views.heldOut.length, (n + 1) * views.heldOut.length);
    });
  }
  return byCrop.flat();
}

export function toAgreement(actual: readonly Float32Array[], reference: readonly Float32Array[]): Agreement {
  return {
    images: reference.length,
    sameTop1: reference.filter((logits, i) => argmax(actual[i] as Float32Array) === argmax(logits)).length,
    logitError: relativeError(actual, reference),
  };
}
