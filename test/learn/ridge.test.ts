import { describe, expect, it } from 'vitest';
import { LandmarkSpace } from '../../src/learn/coordinates.ts';
import { dot } from '../../src/learn/dot.ts';
import { fitWeights } from '../../src/learn/fit-weights.ts';
import { projectAll } from '../../src/learn/landmark-choice.ts';
import { MatrixMemory } from '../../src/learn/matrix/matrix-memory.ts';
import { loadMatrixRoutines } from '../../src/learn/matrix/matrix-routines-node.ts';
import { findNearDuplicates } from '../../src/learn/near-duplicates.ts';
import { withoutPauses } from '../../src/learn/pace.ts';
import { maxJudgeLandmarks, maxLandmarkBytes, maxLessonVectors } from '../../src/limits.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';
import { solve } from './gauss.ts';

const module = loadMatrixRoutines();
const classCount = 3;
const penalty = 0.1;

function toUnit(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

/** Vectors of length 1 with a class each; `features` of them tell it, the last is always 0. */
function makeVectors(count: number, features: number, seed = 7) {
  const random = createRandom(seed).uniform;
  // Twice as many of class 0 as of the others.
  const classes = Array.from({ length: count }, (_, index) => [0, 0, 1, 2][index % 4]!);
  const vectors = classes.map((label) =>
    toUnit(
      Array.from({ length: features }, (_, f) =>
        f === features - 1 ? 0 : random() - 0.3 + (f % classCount === label ? 0.5 : 0),
      ),
    ),
  );
  return { classes, vectors };
}

const toPhotos = (vectors: readonly Float32Array[], classes: readonly number[]) =>
  vectors.map((vector, i) => ({ label: classes[i]!, read: async () => vector }));

function toMeans(vectors: readonly Float32Array[], classes: readonly number[]): Float32Array[] {
  return [0, 1, 2].map((label) => {
    const own = vectors.filter((_, i) => classes[i] === label);
    return vectors[0]!.map((_, f) => own.reduce((sum, vector) => sum + vector[f]!, 0) / own.length);
  });
}

/** The normal equations, weighted, centred, one-hot less its mean, by Gauss. */
function fitByGauss(vectors: readonly Float32Array[], classes: readonly number[]) {
  const features = vectors[0]!.length;
  const counts = classes.reduce((sum, label) => sum.with(label, sum[label]! + 1), [0, 0, 0]);
  const weights = classes.map((label) => classes.length / (classCount * counts[label]!));
  const means = Array.from(
    { length: features },
    (_, f) => vectors.reduce((sum, vector, i) => sum + weights[i]! * vector[f]!, 0) / classes.length,
  );
  const centred = vectors.map((vector) => means.map((value, f) => vector[f]! - value));
  const trace = centred.reduce(
    (sum, row, i) => sum + weights[i]! * row.reduce((a, value) => a + value ** 2, 0),
    0,
  );
  const ridge = (penalty * trace) / classes.length;
  const a = means.map((_, f) =>
    means.map((__, g) =>
      centred.reduce((sum, row, i) => sum + weights[i]! * row[f]! * row[g]!, f === g ? ridge : 0),
    ),
  );
  const b = means.map((_, f) =>
    Array.from({ length: classCount }, (__, c) =>
      centred.reduce(
        (sum, row, i) => sum + weights[i]! * row[f]! * ((classes[i] === c ? 1 : 0) - 1 / classCount),
        0,
      ),
    ),
  );
  const solution = solve(a, b);
  return (vector: Float32Array) =>
    Array.from({ length: classCount }, (_, c) =>
      solution.reduce((sum, row, f) => sum + row[c]! * (vector[f]! - means[f]!), 1 / classCount),
    );
}

/** @returns gives the classes' sums of a vector. */
async function learn(
  photos: Parameters<typeof fitWeights>[1],
  means: readonly Float32Array[],
  { views = 1, strength = penalty } = {},
): Promise<(vector: Float32Array) => number[]> {
  const memory = new MatrixMemory(module);
  const { weights, biases } = await fitWeights(memory, photos, means, views, strength, withoutPauses);
  const features = means[0]!.length;
  const rows = means.map((_, c) => weights.subarray(c * features, (c + 1) * features));
  return (vector) => rows.map((row, c) => biases[c]! + dot(row, vector));
}

type Sums = (vector: Float32Array) => number[];

function expectSame(own: Sums, wanted: Sums, vectors: readonly Float32Array[]): void {
  for (const vector of vectors) {
    const sums = own(vector);
    // Features are rounded to INT16.
    for (const [c, value] of wanted(vector).entries()) expect(Math.abs(sums[c]! - value)).toBeLessThan(2e-3);
  }
}

describe('ridge regression', () => {
  it.each([
    ['more photos than features', 400, 70],
    ['fewer photos than features', 60, 130],
    ['a block that is not full', 9, 5],
  ])('gives what the normal equations give: %s', async (_, count, features) => {
    const { classes, vectors } = makeVectors(count, features);
    const own = await learn(toPhotos(vectors, classes), toMeans(vectors, classes));
    const others = makeVectors(5, features, 8).vectors;
    expectSame(own, fitByGauss(vectors, classes), [...vectors.slice(0, 20), ...others]);
  });

  it.each([
    ['photos', 300, 700],
    ['features', 700, 300],
  ])('of photos that are nearly the same, with fewer %s', async (_, count, features) => {
    const { classes, vectors: different } = makeVectors(count, features);
    // Cosines of 0.97 and more.
    const vectors = different.map((vector) =>
      toUnit([...vector].map((value, f) => value + (f === 3 ? 5 : 0))),
    );
    const own = await learn(toPhotos(vectors, classes), toMeans(vectors, classes), { strength: 0.003 });
    for (const [i, vector] of vectors.entries()) expect(own(vector)[classes[i]!]).toBeGreaterThan(0.5);
  });

  it('counts all views of a photo', async () => {
    const { classes, vectors } = makeVectors(240, 40);
    const photos = [0, 1, 2].flatMap((label) => {
      const own = vectors.filter((_, i) => classes[i] === label);
      return own.flatMap((vector, i) =>
        i % 3 === 0 ? [{ label, read: async () => vector, readViews: async () => own.slice(i, i + 3) }] : [],
      );
    });
    const own = await learn(photos, toMeans(vectors, classes), { views: 3 });
    expectSame(own, fitByGauss(vectors, classes), vectors.slice(0, 20));
  });

  it.each([
    ['two views, the others by turns,', 3, 2],
    ['the own view alone', 2, 1],
  ])('counts %s of more photos than all of whose views it may have', async (_, divisor, taken) => {
    const { classes, vectors } = makeVectors(Math.floor(maxLessonVectors / divisor) + 1, 12);
    const views = vectors.map((vector) => [
      vector,
      toUnit([...vector].map((value, f) => value + f / 50)),
      toUnit([...vector].map((value, f) => value - f / 50)),
    ]);
    const photos = toPhotos(vectors, classes).map((photo, i) => ({
      ...photo,
      readViews: async () => views[i]!,
    }));
    const own = await learn(photos, toMeans(vectors, classes), { views: 3 });
    const seen = views.map(([first, ...others], i) => (taken === 1 ? [first!] : [first!, others[i % 2]!]));
    const labels = classes.flatMap((label) => new Array<number>(taken).fill(label));
    expectSame(own, fitByGauss(seen.flat(), labels), vectors.slice(0, 20));
  });

  it('has an equation of bounded size where photos and features are both many', async () => {
    const features = 40_000;
    const count = 300;
    expect(LandmarkSpace.landmarksWithin(maxLandmarkBytes, features)).toBeLessThan(count);
    const { classes, vectors } = makeVectors(count, features);
    const own = await learn(toPhotos(vectors, classes), toMeans(vectors, classes));
    const right = vectors.filter((vector, i) => {
      const sums = own(vector);
      return sums.indexOf(Math.max(...sums)) === classes[i];
    });
    expect(right.length).toBe(count);
  });
});

const project = async (vectors: readonly Float32Array[]) =>
  await projectAll(
    new MatrixMemory(module),
    toPhotos(
      vectors,
      vectors.map((_, i) => i % classCount),
    ),
    classCount,
    withoutPauses,
  );

describe('coordinates', () => {
  it('have the inner products of the vectors, where all are landmarks', async () => {
    const { vectors } = makeVectors(100, 300);
    const { rows, means } = await project(vectors);
    for (const [i, j] of [
      [0, 0],
      [3, 99],
      [64, 63],
      [50, 20],
    ] as const) {
      expect(dot(rows[i]!, rows[j]!)).toBeCloseTo(dot(vectors[i]!, vectors[j]!), 3);
    }
    const own = vectors.filter((_, i) => i % classCount === 1);
    expect(means[1]![7]).toBeCloseTo(own.reduce((sum, vector) => sum + vector[7]!, 0) / own.length, 6);
  });

  it('of a landmark are the same as those of a vector that is like it', async () => {
    const { vectors } = makeVectors(80, 40);
    const landmarks = vectors.slice(0, 30);
    const memory = new MatrixMemory(module);
    const space = await LandmarkSpace.open(memory, landmarks, withoutPauses);
    const projected = await space.project(vectors.slice(20, 60), withoutPauses);
    for (const index of [0, 5, 9]) {
      const own = space.landmark(20 + index);
      for (const [d, value] of projected[index]!.entries()) expect(value).toBeCloseTo(own[d]!, 3);
    }
    // What does not lie in their span is lost, and nothing is won.
    for (const [index, row] of projected.entries()) {
      expect(dot(row, row)).toBeLessThan(dot(vectors[20 + index]!, vectors[20 + index]!) + 1e-3);
    }
  });
});

describe('near-duplicates', () => {
  it.each([40, 300])('of %i scenes are those that all pairs of features show', async (count) => {
    const random = createRandom(9).uniform;
    const { vectors: scenes } = makeVectors(count, 90, 3);
    const near = (vector: Float32Array, spread: number) =>
      toUnit([...vector].map((value) => value + spread * (random() - 0.5)));
    // Three photos a scene: cosines of about 0.99 and, of the third, 0.85.
    const vectors = scenes.flatMap((vector) => [vector, near(vector, 0.05), near(vector, 0.22)]);
    const { rows } = await project(vectors);
    const memory = new MatrixMemory(module);
    const { groups, copies } = await findNearDuplicates(memory, rows, 50, withoutPauses);

    const wanted = vectors.map((_, index) => index);
    for (const [i, a] of vectors.entries()) {
      for (let j = 0; j < i; j++) {
        if (dot(a, vectors[j]!) < 0.94 || wanted[i] === wanted[j]) continue;
        const [from, to] = [wanted[i]!, wanted[j]!];
        for (const [k, group] of wanted.entries()) if (group === from) wanted[k] = to;
      }
    }
    const partition = (of: readonly number[]) => of.map((group) => of.indexOf(group));
    expect(partition(groups)).toEqual(partition(wanted));
    expect(new Set(groups).size).toBe(2 * count);
    expect(vectors.length > maxJudgeLandmarks).toBe(count === 300);
    expect(copies).toEqual([]);
  });

  it('that are copies are listed, the first of them', async () => {
    const { vectors } = makeVectors(70, 60);
    const { rows } = await project(vectors.flatMap((vector) => [vector, vector]));
    const { copies, groups } = await findNearDuplicates(new MatrixMemory(module), rows, 3, withoutPauses);
    expect(copies).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(new Set(groups).size).toBe(70);
  });
});
