import { calibrationError, fitTemperature, type Judged, toProbabilities } from './calibration.ts';
import { assignFolds, scoreHeldOut, type TrainingSet } from './cross-validation.ts';
import { fitWeights } from './fit-weights.ts';
import { projectAll, thin } from './landmark-choice.ts';
import { MatrixMemory } from './matrix/matrix-memory.ts';
import { findNearDuplicates } from './near-duplicates.ts';
import { chooseMinSimilarity, chooseThreshold, scoreSimilarities } from './none-of-these.ts';
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
  shareByScene,
  toRights,
} from './report.ts';
import { toCentre } from './ridge.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Penalties to try, in units of the photos' mean squared length. The first is chosen unless another one is clearly better,
 * because bursts of photos make strong penalties look better than they are on later photos.
 */
const penalties = [0.01, 0.1, 1] as const;
/** Photos to fit the temperature on. More photos do not change its second digit. */
const maxTemperaturePhotos = 2000;
/** Pairs of copies that the report names. */
const maxCopies = 50;
/** Shares of the scenes at which the learning curve is measured, before all of them. */
const curveShares = [0.25, 0.5, 0.75] as const;

/** One photo to learn from. */
export interface Example {
  /** A path or a name, by which a person knows the photo. */
  readonly name: string;
  /** Index among the labels. */
  readonly label: number;
  /** Gives FP32, of length 1: the features of the photo, see `toVector`. They are read more than once, and not kept. */
  readonly read: () => Promise<Float32Array>;
  /** Gives the features of all views of the photo: its own, mirrored, cut out. Learning uses them, the estimate never does. */
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
  /** `matrix-routines.wasm`, compiled. */
  readonly module: WebAssembly.Module;
  /** Views of each photo, its own included: what `readViews` gives. */
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
  { module, viewCount = 1, pace = withoutPauses }: TeachOptions,
): Promise<Lesson> {
  const classes = examples.map(({ label }) => label);
  if (labels.length < 2) throw new RangeError('There must be at least two classes.');
  for (const [index, label] of labels.entries()) {
    if (!classes.includes(index)) throw new RangeError(`The class "${label}" has no photo.`);
  }
  const memory = new MatrixMemory(module);
  const { penalty, ...judgement } = await memory.within(() => judge(memory, examples, labels, classes, pace));
  // The judgement's matrices are freed by now, so the equation reuses their memory.
  const fitted = await fitWeights(memory, examples, judgement.means, viewCount, penalty, pace);
  return { ...judgement, ...fitted };
}

/** Estimates and calibrates by cross-validation, before the weights are fitted on all photos. */
async function judge(
  memory: MatrixMemory,
  examples: readonly Example[],
  labels: readonly string[],
  classes: readonly number[],
  pace: Pace,
): Promise<Omit<Lesson, 'weights' | 'biases'> & { readonly penalty: number }> {
  const { rows, means } = await projectAll(memory, examples, labels.length, pace);
  const set: TrainingSet = {
    memory,
    rows,
    centre: toCentre(rows, classes, labels.length),
    classes,
    classCount: labels.length,
  };
  const { groups, copies } = await findNearDuplicates(memory, rows, maxCopies, pace);
  const folds = assignFolds(classes, groups);
  const { penalty, judged } = await choosePenalty(set, folds, groups, pace);
  const scenes = new Set([...judged.keys()].map((index) => groups[index])).size;
  const { temperature, threshold, minSimilarity } = await calibrate(
    set,
    { judged, folds, scenes, penalty },
    pace,
  );
  const perClass = reportClasses(labels, classes, groups, judged);
  return {
    penalty,
    temperature,
    threshold,
    minSimilarity,
    means,
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
      copies: copies.map(([a, b]) => [examples[a]!.name, examples[b]!.name] as const),
    },
  };
}

/** Photos that were judged without their own scene, by one penalty. */
interface HeldOutScores {
  readonly judged: JudgedPhotos;
  readonly folds: readonly number[];
  readonly scenes: number;
  readonly penalty: number;
}

/** Chooses the temperature, and the limits of "none of these", by photos that were held out. */
async function calibrate(
  set: TrainingSet,
  { judged, folds, scenes, penalty }: HeldOutScores,
  pace: Pace,
): Promise<Pick<Lesson, 'temperature' | 'threshold' | 'minSimilarity'>> {
  const everyone = set.classes.map((_, index) => index);
  // If no class has two scenes, photos of one scene calibrate the scores, but cannot tell the accuracy.
  const isBlind = judged.size === 0;
  const calibrationFolds = isBlind ? assignFolds(set.classes, everyone) : folds;
  const calibrating = isBlind ? await judgeHeldOut(set, calibrationFolds, everyone, penalty, pace) : judged;
  const temperature =
    calibrating.size > 0
      ? await fitTemperature(thin([...calibrating.values()], maxTemperaturePhotos), Math.max(1, scenes), pace)
      : 0.1;
  const right = [...calibrating].filter(([, photo]) => isRight(photo));
  const threshold = chooseThreshold(
    right.map(([, { sums }]) => Math.max(...toProbabilities(sums, temperature))),
    scenes,
    set.classCount,
  );
  const minSimilarity = chooseMinSimilarity(
    await scoreSimilarities(
      set,
      calibrationFolds,
      right.map(([index]) => index),
      pace,
    ),
    scenes,
  );
  return { temperature, threshold, minSimilarity };
}

async function judgeHeldOut(
  set: TrainingSet,
  folds: readonly number[],
  among: readonly number[],
  penalty: number,
  pace: Pace,
): Promise<JudgedPhotos> {
  const judged = new Map<number, Judged>();
  const keep = (photo: number, sums: Float64Array) => {
    judged.set(photo, { sums, label: set.classes[photo]! });
  };
  await scoreHeldOut(set, folds, among, [penalty], keep, pace);
  return judged;
}

/** @returns the first penalty, or the best of those that are better by two standard errors. */
async function choosePenalty(
  set: TrainingSet,
  folds: readonly number[],
  groups: readonly number[],
  pace: Pace,
): Promise<{ readonly penalty: number; readonly judged: JudgedPhotos }> {
  const everyone = set.classes.map((_, index) => index);
  const judged = new Map<number, Judged>();
  const rights = penalties.map(() => new Map<number, boolean>());
  const hear = (photo: number, sums: Float64Array, at: number) => {
    const one = { sums, label: set.classes[photo]! };
    if (at === 0) judged.set(photo, one);
    rights[at]!.set(photo, isRight(one));
  };
  await scoreHeldOut(set, folds, everyone, penalties, hear, pace);
  const [first, ...others] = rights.map((right) => shareByScene(right, groups));
  const { share, scenes } = first!;
  let best = {
    penalty: penalties[0] as number,
    share: share + 2 * Math.sqrt((share * (1 - share)) / scenes),
  };
  for (const [at, other] of others.entries()) {
    if (other.share > best.share) best = { penalty: penalties[at + 1]!, share: other.share };
  }
  const { penalty } = best;
  if (penalty === penalties[0]) return { penalty, judged };
  return { penalty, judged: await judgeHeldOut(set, folds, everyone, penalty, pace) };
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
    const { share } = shareByScene(toRights(judged), groups);
    if (judged.size > 0) curve.push({ photos, accuracy: round(share) });
  };
  for (const share of curveShares) {
    // Scenes spread evenly over all.
    const some = groups.flatMap((group, index) => {
      const place = order.get(group)!;
      return Math.floor((place + 1) * share) > Math.floor(place * share) ? [index] : [];
    });
    note(some.length, await judgeHeldOut(set, folds, some, penalty, pace));
  }
  note(groups.length, whole);
  return curve;
}
