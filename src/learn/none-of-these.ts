import type { TrainingSet } from './ridge.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Share of right answers that each of the two limits gives up. */
const sacrificed = 0.025;
/** Scenes from which on a share as small can be read off. */
const enoughScenes = 1 / sacrificed - 1;

/** The value that all but a share of `sacrificed` stay above. */
function quantile(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * sacrificed)];
}

/**
 * The score below which an answer means "none of these". The least of a few scores would give up too many, so it is moved
 * towards chance as scenes are missing, by half at most.
 *
 * @param scores of right answers, each given without the photo's scene.
 * @returns 0 if there are none.
 */
export function chooseThreshold(scores: readonly number[], scenes: number, classCount: number): number {
  const least = quantile(scores);
  if (least === undefined) return 0;
  const chance = 1 / classCount;
  return chance + (least - chance) * Math.min(1, Math.max(0.5, scenes / enoughScenes));
}

/**
 * The similarity to the nearest class below which an image shows none of them. Where scenes are missing, images may be as
 * much as twice as far away as the farthest that were seen.
 *
 * @param similarities of right answers, each measured without the photo's scene.
 * @returns 0 if there are none.
 */
export function chooseMinSimilarity(similarities: readonly number[], scenes: number): number {
  const least = quantile(similarities);
  if (least === undefined) return 0;
  return Math.max(0, 1 - (1 - least) * (2 - Math.min(1, scenes / enoughScenes)));
}

/**
 * The largest cosine between a photo and the mean of a class, less the photos of its own fold.
 *
 * @param photos indices of the photos to measure.
 */
export function scoreSimilarities(
  { gram, classes, classCount }: TrainingSet,
  folds: readonly number[],
  photos: readonly number[],
): number[] {
  const all = classes.length;
  const lengths = new Map<number, Float64Array>();
  /** Squared lengths of the classes' sums without a fold. */
  const lengthsWithout = (fold: number) => {
    const known = lengths.get(fold);
    if (known) return known;
    const squares = new Float64Array(classCount);
    for (let i = 0; i < all; i++) {
      if (folds[i] === fold) continue;
      for (let j = 0; j < all; j++) {
        if (folds[j] !== fold && classes[i] === classes[j]) squares[classes[i]!]! += gram[i * all + j]!;
      }
    }
    lengths.set(fold, squares);
    return squares;
  };
  return photos.map((photo) => {
    const fold = folds[photo]!;
    const sums = new Float64Array(classCount);
    for (let j = 0; j < all; j++) if (folds[j] !== fold) sums[classes[j]!]! += gram[photo * all + j]!;
    const squares = lengthsWithout(fold);
    return sums.reduce((best, sum, label) => {
      const square = squares[label]!;
      return square > 0 ? Math.max(best, sum / Math.sqrt(square)) : best;
    }, 0);
  });
}

/** @returns FP32 (features), one a class. */
export function toMeans(
  vectors: readonly Float32Array[],
  classes: readonly number[],
  classCount: number,
): Float32Array[] {
  const features = vectors[0]!.length;
  const sums = Array.from({ length: classCount }, () => new Float64Array(features));
  const counts = new Float64Array(classCount);
  for (const [index, vector] of vectors.entries()) {
    const sum = sums[classes[index]!]!;
    counts[classes[index]!]!++;
    for (let f = 0; f < features; f++) sum[f]! += vector[f]!;
  }
  return sums.map((sum, label) => Float32Array.from(sum, (value) => value / counts[label]!));
}
