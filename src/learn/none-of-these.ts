import type { TrainingSet } from './cross-validation.ts';
import { tileSide } from './matrix/layout.ts';
import { multiplyRows } from './matrix/multiply-rows.ts';
import { TiledColumns } from './matrix/tiles.ts';
import type { Pace } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Share of right answers that each of the two limits gives up. */
const sacrificed = 0.025;
/** With this many scenes the share `sacrificed` can be measured. */
const enoughScenes = 1 / sacrificed - 1;

/** The value below which a share of `sacrificed` lies. */
function quantile(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * sacrificed)];
}

/**
 * The score below which an answer means "none of these". With few scenes the lowest score would reject too many answers.
 * So the limit moves towards chance, the more scenes are missing, by half at most.
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
 * The similarity to the nearest class below which an image shows none of the classes. With few scenes an image may be up
 * to twice as far away as the farthest photo.
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
export async function scoreSimilarities(
  { memory, rows, classes, classCount }: TrainingSet,
  folds: readonly number[],
  photos: readonly number[],
  pace: Pace,
): Promise<number[]> {
  const similarities = new Map<number, number>();
  const everyone = classes.map((_, index) => index);
  const all = sumByClass(rows, classes, classCount, everyone);
  for (const fold of new Set(photos.map((photo) => folds[photo]!))) {
    const members = everyone.filter((index) => folds[index] === fold);
    const directions = sumByClass(rows, classes, classCount, members).map((sum, label) =>
      toRest(all[label]!, sum),
    );
    const own = photos.filter((photo) => folds[photo] === fold);
    await memory.within(async () => {
      const means = new TiledColumns(memory, rows[0]!.length, classCount);
      for (const [label, direction] of directions.entries()) {
        const [tile, at] = [Math.floor(label / tileSide), label % tileSide];
        for (const [d, value] of direction.entries()) means.rowOf(d, tile)[at] = value;
      }
      for (let first = 0; first < own.length; first += tileSide) {
        const block = own.slice(first, first + tileSide);
        const pause = pace((tileSide * rows[0]!.length * classCount) / 4);
        if (pause) await pause;
        const cosines = await multiplyRows(
          memory,
          block.map((photo) => rows[photo]!),
          means,
        );
        for (const [at, photo] of block.entries()) {
          similarities.set(photo, Math.max(0, ...cosines[at]!));
        }
      }
    });
  }
  return photos.map((photo) => similarities.get(photo)!);
}

function sumByClass(
  vectors: readonly Float32Array[],
  classes: readonly number[],
  classCount: number,
  among: readonly number[],
): Float64Array[] {
  const sums = Array.from({ length: classCount }, () => new Float64Array(vectors[0]!.length));
  for (const index of among) {
    const sum = sums[classes[index]!]!;
    const vector = vectors[index]!;
    for (let f = 0; f < sum.length; f++) sum[f]! += vector[f]!;
  }
  return sums;
}

/** `all` minus `part`, scaled to length 1; 0 if nothing is left. */
function toRest(all: Float64Array, part: Float64Array): Float64Array {
  const rest = all.map((value, f) => value - part[f]!);
  const length = Math.sqrt(rest.reduce((total, value) => total + value * value, 0));
  return length > 1e-9 ? rest.map((value) => value / length) : rest.fill(0);
}
