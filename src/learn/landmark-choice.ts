import { maxJudgeLandmarks, maxLandmarkBytes } from '../limits.ts';
import { LandmarkSpace } from './coordinates.ts';
import { tileSide } from './matrix/layout.ts';
import type { MatrixMemory } from './matrix/matrix-memory.ts';
import type { Pace } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Evenly spaced items, at most `most`. */
export function thin<T>(all: readonly T[], most: number): T[] {
  const step = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(most, all.length) }, (_, i) => all[Math.floor(i * step)]!);
}

/** A photo's class, and how its vector is read: FP32 (features), of length 1. */
export interface ReadablePhoto {
  readonly label: number;
  readonly read: () => Promise<Float32Array>;
}

export interface Projection {
  /**
   * FP32, one a photo: its coordinates. Their inner products are those of the photos' vectors: exactly, if every photo is
   * a landmark, else nearly.
   */
  readonly rows: readonly Float32Array[];
  /** FP32 (features), one a class: the mean of its photos' vectors. */
  readonly means: readonly Float32Array[];
}

/** Reads all photos, a few at a time. */
export async function projectAll(
  memory: MatrixMemory,
  photos: readonly ReadablePhoto[],
  classCount: number,
  pace: Pace,
): Promise<Projection> {
  return await memory.within(async () => {
    const first = await photos[0]!.read();
    const most = Math.min(maxJudgeLandmarks, LandmarkSpace.landmarksWithin(maxLandmarkBytes, first.length));
    const landmarks: Float32Array[] = [];
    for (const block of toBlocks(thin(photos, most))) landmarks.push(...(await readBlock(block)));
    const space = await LandmarkSpace.open(memory, landmarks, pace);
    const sums = new ClassSums(classCount, first.length);
    const rows: Float32Array[] = [];
    for (const block of toBlocks(photos)) {
      const isEveryLandmark = landmarks.length === photos.length;
      const at = rows.length;
      const vectors = isEveryLandmark ? landmarks.slice(at, at + block.length) : await readBlock(block);
      for (const [index, vector] of vectors.entries()) sums.add(vector, block[index]!.label);
      rows.push(
        ...(isEveryLandmark
          ? vectors.map((_, index) => space.landmark(at + index))
          : await space.project(vectors, pace)),
      );
    }
    return { rows, means: sums.means() };
  });
}

const toBlocks = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / tileSide) }, (_, index) =>
    all.slice(index * tileSide, (index + 1) * tileSide),
  );

const readBlock = async (block: readonly ReadablePhoto[]) =>
  await Promise.all(block.map(async ({ read }) => await read()));

class ClassSums {
  readonly #sums: Float64Array[];
  readonly #counts: Float64Array;

  constructor(classCount: number, features: number) {
    this.#sums = Array.from({ length: classCount }, () => new Float64Array(features));
    this.#counts = new Float64Array(classCount);
  }

  add(vector: Float32Array, label: number): void {
    const sum = this.#sums[label]!;
    for (let f = 0; f < sum.length; f++) sum[f]! += vector[f]!;
    this.#counts[label]!++;
  }

  means(): Float32Array[] {
    return this.#sums.map((sum, label) => Float32Array.from(sum, (value) => value / this.#counts[label]!));
  }
}
