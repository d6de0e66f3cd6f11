import { maxLandmarkBytes, maxLessonUnknowns, maxLessonVectors } from '../limits.ts';
import { LandmarkSpace } from './coordinates.ts';
import { type ReadablePhoto, thin } from './landmark-choice.ts';
import { tileSide } from './matrix/layout.ts';
import type { MatrixMemory } from './matrix/matrix-memory.ts';
import type { TiledColumns } from './matrix/tiles.ts';
import type { Pace } from './pace.ts';
import { RidgeEquations, toCentre } from './ridge.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Photos whose views are read at once: a store answers each in milliseconds, and 16 of 3 x 2,432 features are 0.5 MB. */
const readAhead = 16;

/** A photo to fit weights on: by the vectors of all its views, or by its own vector. */
export interface ViewedPhoto extends ReadablePhoto {
  readonly readViews?: (() => Promise<readonly Float32Array[]>) | undefined;
}

export interface FittedWeights {
  /** FP32 [classes][features], row-major. */
  readonly weights: Float32Array;
  /** FP32 [classes]. */
  readonly biases: Float32Array;
}

/**
 * Fits weights on all views of all photos. The equation has as many unknowns as there are features or vectors, whichever
 * are fewer. If both are too many, some of the vectors become landmarks, and the weights lie in their span.
 *
 * @param means FP32 (features), one a class: the mean of its photos' own vectors.
 * @param viewCount views of each photo, its own included.
 * @param penalty as of `RidgeEquations.solve`.
 */
export async function fitWeights(
  memory: MatrixMemory,
  examples: readonly ViewedPhoto[],
  means: readonly Float32Array[],
  viewCount: number,
  penalty: number,
  pace: Pace,
): Promise<FittedWeights> {
  const features = means[0]!.length;
  const taken = Math.max(1, Math.min(viewCount, Math.floor(maxLessonVectors / examples.length)));
  const counts = new Array<number>(means.length).fill(0);
  for (const { label } of examples) counts[label]! += taken;
  const vectors = examples.length * taken;
  const views = examples.map((photo, index) => ({
    label: photo.label,
    readAll: async () => takeViews(await readAll(photo), taken, index),
  }));
  const fit = { memory, examples: views, means, counts, penalty, pace };
  return await memory.within(() =>
    features < vectors && features <= maxLessonUnknowns ? fitOnFeatures(fit) : fitOnLandmarks(fit, taken),
  );
}

interface TakenViews {
  readonly label: number;
  readonly readAll: () => Promise<readonly Float32Array[]>;
}

interface Fit {
  readonly memory: MatrixMemory;
  readonly examples: readonly TakenViews[];
  readonly means: readonly Float32Array[];
  readonly counts: readonly number[];
  readonly penalty: number;
  readonly pace: Pace;
}

async function fitOnFeatures({
  memory,
  examples,
  means,
  counts,
  penalty,
  pace,
}: Fit): Promise<FittedWeights> {
  const features = means[0]!.length;
  const labels = means.map((_, label) => label);
  const equations = new RidgeEquations(memory, counts, toCentre(means, labels, means.length));
  for await (const { label, vectors } of readEach(examples)) {
    for (const vector of vectors) await equations.add(vector, label, pace);
  }
  await equations.finish(pace);
  const { weights, biases } = await equations.solve(penalty, true, pace);
  return { weights: toRows(weights, features), biases: Float32Array.from(biases) };
}

async function fitOnLandmarks(
  { memory, examples, means, counts, penalty, pace }: Fit,
  viewCount: number,
): Promise<FittedWeights> {
  const most = LandmarkSpace.landmarksWithin(maxLandmarkBytes, means[0]!.length);
  const chosen = thin(examples, Math.max(1, Math.floor(Math.min(most, maxLessonUnknowns) / viewCount)));
  const landmarks: Float32Array[] = [];
  for await (const { vectors } of readEach(chosen)) landmarks.push(...vectors);
  const space = await LandmarkSpace.open(memory, landmarks, pace);
  const labels = chosen.flatMap(({ label }) => new Array<number>(viewCount).fill(label));
  const rows = landmarks.map((_, index) => space.landmark(index));
  const equations = new RidgeEquations(memory, counts, toCentre(rows, labels, means.length));
  if (chosen.length === examples.length) {
    for (const [index, label] of labels.entries()) await equations.add(rows[index]!, label, pace);
  } else {
    await addProjected(space, equations, examples, pace);
  }
  await equations.finish(pace);
  const { weights, biases } = await equations.solve(penalty, true, pace);
  await space.toLandmarkWeights(weights, pace);
  return { weights: await combine(landmarks, weights, pace), biases: Float32Array.from(biases) };
}

async function addProjected(
  space: LandmarkSpace,
  equations: RidgeEquations,
  examples: readonly TakenViews[],
  pace: Pace,
): Promise<void> {
  let vectors: Float32Array[] = [];
  let labels: number[] = [];
  const project = async () => {
    const rows = await space.project(vectors, pace);
    for (const [index, row] of rows.entries()) await equations.add(row, labels[index]!, pace);
    [vectors, labels] = [[], []];
  };
  for await (const { label, vectors: views } of readEach(examples)) {
    for (const vector of views) {
      vectors.push(vector);
      labels.push(label);
      if (vectors.length === tileSide) await project();
    }
  }
  if (vectors.length > 0) await project();
}

/** The vectors of each photo, in order. */
async function* readEach(examples: readonly TakenViews[]) {
  for (let first = 0; first < examples.length; first += readAhead) {
    const block = examples.slice(first, first + readAhead);
    yield* await Promise.all(block.map(async ({ label, readAll }) => ({ label, vectors: await readAll() })));
  }
}

async function readAll({ read, readViews }: ViewedPhoto): Promise<readonly Float32Array[]> {
  return readViews ? await readViews() : [await read()];
}

/** The photo's own view, and some of the others, `taken` in all. Successive photos take other views in turn. */
function takeViews(views: readonly Float32Array[], taken: number, index: number): readonly Float32Array[] {
  const [own, ...others] = views;
  const count = Math.min(taken - 1, others.length);
  return [own!, ...Array.from({ length: count }, (_, k) => others[(index * count + k) % others.length]!)];
}

/** @returns FP32 [columns][rows], row-major. */
function toRows(columns: TiledColumns, rows: number): Float32Array {
  const out = new Float32Array(columns.columns * rows);
  for (let d = 0; d < rows; d++) {
    for (let tile = 0; tile < columns.columnTiles; tile++) {
      const first = tile * tileSide;
      const values = columns.rowOf(d, tile);
      const count = Math.min(tileSide, columns.columns - first);
      for (let k = 0; k < count; k++) out[(first + k) * rows + d] = values[k]!;
    }
  }
  return out;
}

/** @returns FP32 [classes][features], row-major: the weighted sums of the vectors. */
async function combine(
  vectors: readonly Float32Array[],
  weights: TiledColumns,
  pace: Pace,
): Promise<Float32Array> {
  const features = vectors[0]!.length;
  const sums = new Float64Array(weights.columns * features);
  for (const [index, vector] of vectors.entries()) {
    const pause = pace(weights.columns * features);
    if (pause) await pause;
    for (let c = 0; c < weights.columns; c++) {
      const weight = weights.rowOf(index, Math.floor(c / tileSide))[c % tileSide]!;
      for (let f = 0; f < features; f++) sums[c * features + f]! += weight * vector[f]!;
    }
  }
  return Float32Array.from(sums);
}
