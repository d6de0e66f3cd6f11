import { calibrationError, fitTemperature, toProbabilities } from './calibration.ts';
import { assignFolds, scoreHeldOut } from './cross-validation.ts';
import { toGram } from './linear-algebra.ts';
import { groupNearDuplicates, listCopies } from './near-duplicates.ts';
import { chooseMinSimilarity, chooseThreshold, scoreSimilarities, toMeans } from './none-of-these.ts';
import { type Pace, withoutPauses } from './pace.ts';
import {
  countConfusions,
  estimateAccuracy,
  findWeakest,
  isRight,
  type JudgedPhotos,
  type LessonReport,
  listConfusions,
  listDoubtful,
  reportClasses,
  round,
} from './report.ts';
import { fitRidge, type TrainingSet, toPrimalWeights } from './ridge.ts';
import { fitRidgePrimal } from './ridge-primal.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Penalties that are tried, in units of the photos' mean squared length. */
const penalties = [0.003, 0.01, 0.03, 0.1, 0.3, 1] as const;
/** Photos on which the penalty is chosen: more change the choice little and cost the cube of their number. */
const maxPenaltyPhotos = 700;
/** Pairs of copies that are named. */
const maxCopies = 50;
/** Shares of the scenes at which the learning curve is measured, before all of them. */
const curveShares = [0.25, 0.5, 0.75] as const;

/** One photo to learn from. */
export interface Example {
  /** What a person knows it by: a path, or a name. */
  readonly name: string;
  /** Index among the labels. */
  readonly label: number;
  /** FP32, of length 1: the features of the photo, see `toVector`. */
  readonly vector: Float32Array;
  /**
   * Gives the same of other views of the photo: mirrored, cut out. They are learned from, and never judged. Where they
   * are many, they are read one photo after the other and not kept.
   */
  readonly readViews?: (() => Promise<readonly Float32Array[]>) | undefined;
}

export interface Lesson {
  /** FP32 [classes][features], row-major. */
  readonly weights: Float32Array;
  /** FP32 [classes]. */
  readonly biases: Float32Array;
  readonly temperature: number;
  readonly threshold: number;
  readonly minSimilarity: number;
  /** FP32 (features), one a class: the mean of its photos' vectors. */
  readonly means: readonly Float32Array[];
  /** Held-out photos of each class (row) by the class they were taken for (column). */
  readonly confusionMatrix: readonly (readonly number[])[];
  readonly report: LessonReport;
}

export interface TeachOptions {
  /** Views of each photo, its own included: `readViews` gives one less. */
  readonly viewCount?: number;
  readonly pace?: Pace;
}

/**
 * Learns classes from photos: ridge regression on a backbone's features, its penalty and its calibration by
 * cross-validation in which near-duplicates stay together. Deterministic.
 *
 * @param labels at least two; each has a photo.
 * @throws {RangeError} if a class has no photo, or there is one class.
 */
export async function teach(
  examples: readonly Example[],
  labels: readonly string[],
  { viewCount = 1, pace = withoutPauses }: TeachOptions = {},
): Promise<Lesson> {
  const classes = examples.map(({ label }) => label);
  if (labels.length < 2) throw new RangeError('There must be at least two classes.');
  for (const [index, label] of labels.entries()) {
    if (!classes.includes(index)) throw new RangeError(`The class "${label}" has no photo.`);
  }
  const { penalty, ...judgement } = await judge(examples, labels, classes, pace);
  // Nothing of the inner products is left by now: the equations below take their place in memory.
  return { ...judgement, ...(await fitAll(examples, labels.length, viewCount, penalty, pace)) };
}

/** What can be said before the weights are fitted on everything. */
async function judge(
  examples: readonly Example[],
  labels: readonly string[],
  classes: readonly number[],
  pace: Pace,
): Promise<Omit<Lesson, 'weights' | 'biases'> & { readonly penalty: number }> {
  const vectors = examples.map(({ vector }) => vector);
  const gram = await toGram(vectors, pace);
  const set: TrainingSet = { gram, classes, classCount: labels.length };
  const groups = groupNearDuplicates(gram, examples.length);
  const folds = assignFolds(classes, groups);
  const everyone = classes.map((_, index) => index);

  const penalty = await choosePenalty(set, folds, thin(everyone, maxPenaltyPhotos), pace);
  const judged = toJudged((await scoreHeldOut(set, folds, everyone, penalty, pace)).sums, classes);
  const scenes = new Set([...judged.keys()].map((index) => groups[index])).size;
  // Where no class has two scenes, photos of the same scene say something of scores, and nothing of how good they are.
  const isBlind = judged.size === 0;
  const calibrationFolds = isBlind ? assignFolds(classes, everyone) : folds;
  const calibrating = isBlind
    ? toJudged((await scoreHeldOut(set, calibrationFolds, everyone, penalty, pace)).sums, classes)
    : judged;
  const temperature =
    calibrating.size > 0 ? await fitTemperature([...calibrating.values()], Math.max(1, scenes), pace) : 0.1;
  const right = [...calibrating].filter(([, photo]) => isRight(photo));
  const threshold = chooseThreshold(
    right.map(([, { sums }]) => Math.max(...toProbabilities(sums, temperature))),
    scenes,
    labels.length,
  );
  const minSimilarity = chooseMinSimilarity(
    scoreSimilarities(
      set,
      calibrationFolds,
      right.map(([index]) => index),
    ),
    scenes,
  );
  const perClass = reportClasses(labels, classes, groups, judged);
  return {
    penalty,
    temperature,
    threshold,
    minSimilarity,
    means: toMeans(vectors, classes, labels.length),
    confusionMatrix: countConfusions(labels.length, judged),
    report: {
      photos: examples.length,
      classes: labels.length,
      scenes: new Set(groups).size,
      penalty,
      accuracy: estimateAccuracy(judged, groups),
      learning_curve: await measureCurve(set, groups, folds, penalty, judged, pace),
      calibration_error:
        judged.size > 0 ? round(calibrationError([...judged.values()], temperature)) : undefined,
      threshold: round(threshold),
      min_similarity: round(minSimilarity),
      helps_most: findWeakest(perClass),
      per_class: perClass,
      confusions: listConfusions(labels, judged),
      doubtful: listDoubtful(examples, labels, judged, temperature),
      copies: listCopies(gram, examples.length, maxCopies).map(
        ([a, b]) => [examples[a]!.name, examples[b]!.name] as const,
      ),
    },
  };
}

/** Fits on all views of all photos, by the smaller of the two systems of equations. */
async function fitAll(
  examples: readonly Example[],
  classCount: number,
  viewCount: number,
  penalty: number,
  pace: Pace,
): Promise<Pick<Lesson, 'weights' | 'biases'>> {
  const features = examples[0]!.vector.length;
  const views = examples.map(({ vector, label, readViews }) => ({
    label,
    read: async () => [vector, ...((await readViews?.()) ?? [])],
  }));
  if (examples.length * viewCount > features) {
    const { weights, biases } = await fitRidgePrimal(views, viewCount, features, classCount, penalty, pace);
    return { weights, biases: Float32Array.from(biases) };
  }
  const vectors: Float32Array[] = [];
  const classes: number[] = [];
  for (const { label, read } of views) {
    for (const vector of await read()) {
      vectors.push(vector);
      classes.push(label);
    }
  }
  const everyone = classes.map((_, index) => index);
  const set = { gram: await toGram(vectors, pace), classes, classCount };
  const classifier = await fitRidge(set, everyone, penalty, pace);
  return {
    weights: await toPrimalWeights(classifier, vectors, pace),
    biases: Float32Array.from(classifier.biases),
  };
}

function toJudged(sums: readonly (Float64Array | undefined)[], classes: readonly number[]): JudgedPhotos {
  return new Map(
    sums.flatMap((own, index) => (own ? [[index, { sums: own, label: classes[index]! }] as const] : [])),
  );
}

/** Every so-many-th, at most `most`. */
function thin(indices: readonly number[], most: number): number[] {
  const step = Math.max(1, indices.length / most);
  return Array.from({ length: Math.min(most, indices.length) }, (_, i) => indices[Math.floor(i * step)]!);
}

async function choosePenalty(
  set: TrainingSet,
  folds: readonly number[],
  among: readonly number[],
  pace: Pace,
): Promise<number> {
  let best = { penalty: 0.1, right: -1 };
  for (const penalty of penalties) {
    const { sums } = await scoreHeldOut(set, folds, among, penalty, pace);
    const judged = [...toJudged(sums, set.classes).values()];
    const right = judged.filter(isRight).length;
    // Of equals the stronger penalty, which few photos need.
    if (right >= best.right && judged.length > 0) best = { penalty, right };
  }
  return best.penalty;
}

async function measureCurve(
  set: TrainingSet,
  groups: readonly number[],
  folds: readonly number[],
  penalty: number,
  whole: JudgedPhotos,
  pace: Pace,
): Promise<LessonReport['learning_curve']> {
  const order = new Map([...new Set(groups)].map((group, index) => [group, index]));
  const curve: { photos: number; accuracy: number }[] = [];
  const note = (photos: number, judged: JudgedPhotos) => {
    const right = [...judged.values()].filter(isRight).length;
    if (judged.size > 0) curve.push({ photos, accuracy: round(right / judged.size) });
  };
  for (const share of curveShares) {
    // Scenes spread evenly over all.
    const some = groups.flatMap((group, index) => {
      const place = order.get(group)!;
      return Math.floor((place + 1) * share) > Math.floor(place * share) ? [index] : [];
    });
    const { sums } = await scoreHeldOut(set, folds, some, penalty, pace);
    note(some.length, toJudged(sums, set.classes));
  }
  note(groups.length, whole);
  return curve;
}
