import {
  calibrationError,
  fitTemperature,
  indexOfLargest,
  type Judged,
  toProbabilities,
} from './calibration.ts';
import { assignFolds, scoreHeldOut } from './cross-validation.ts';
import { toGram } from './linear-algebra.ts';
import { groupNearDuplicates, listCopies } from './near-duplicates.ts';
import { type Pace, withoutPauses } from './pace.ts';
import { fitRidge, type TrainingSet, toPrimalWeights } from './ridge.ts';
import { fitRidgePrimal } from './ridge-primal.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Penalties that are tried, in units of the photos' mean squared length. */
const penalties = [0.003, 0.01, 0.03, 0.1, 0.3, 1] as const;
/** Photos on which the penalty is chosen: more change the choice little and cost the cube of their number. */
const maxPenaltyPhotos = 700;
/** Share of right answers that the threshold of "none of these" gives up. */
const sacrificed = 0.05;

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
  readonly report: LessonReport;
}

export interface LessonReport {
  readonly photos: number;
  readonly classes: number;
  /** Photos that are not near-duplicates of another one. */
  readonly scenes: number;
  readonly penalty: number;
  /** Of photos whose scene was held out; with its 95 % interval (Wilson), by scenes. Undefined if none could be. */
  readonly accuracy: { readonly estimate: number; readonly low: number; readonly high: number } | undefined;
  /** The same with half of the scenes to learn from: the difference tells whether more photos would help. */
  readonly accuracy_with_half: number | undefined;
  readonly calibration_error: number | undefined;
  readonly threshold: number;
  /** The class of which more photos would help most: the one that is recognised least. Undefined if none is known. */
  readonly helps_most: string | undefined;
  readonly per_class: readonly ClassReport[];
  /** What is taken for what, most frequent first. */
  readonly confusions: readonly {
    readonly label: string;
    readonly taken_for: string;
    readonly photos: number;
  }[];
  /** Photos that look like another class. */
  readonly doubtful: readonly {
    readonly name: string;
    readonly label: string;
    readonly looks_like: string;
    readonly score: number;
  }[];
  readonly copies: readonly (readonly [string, string])[];
}

export interface ClassReport {
  readonly label: string;
  readonly photos: number;
  readonly scenes: number;
  readonly precision: number | null;
  readonly recall: number | null;
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
  const calibrating =
    judged.size > 0
      ? judged
      : toJudged(
          (await scoreHeldOut(set, assignFolds(classes, everyone), everyone, penalty, pace)).sums,
          classes,
        );
  const temperature =
    calibrating.size > 0 ? fitTemperature([...calibrating.values()], Math.max(1, scenes)) : 0.1;
  const threshold = chooseThreshold([...calibrating.values()], temperature, scenes, labels.length);
  const perClass = reportClasses(labels, classes, groups, judged);
  return {
    ...(await fitAll(examples, labels.length, viewCount, penalty, pace)),
    temperature,
    threshold,
    report: {
      photos: examples.length,
      classes: labels.length,
      scenes: new Set(groups).size,
      penalty,
      accuracy: estimateAccuracy(judged, groups),
      accuracy_with_half: await accuracyWithHalf(set, groups, folds, penalty, pace),
      calibration_error:
        judged.size > 0 ? round(calibrationError([...judged.values()], temperature)) : undefined,
      threshold: round(threshold),
      helps_most: findWeakest(perClass),
      per_class: perClass,
      confusions: listConfusions(labels, judged),
      doubtful: listDoubtful(examples, labels, judged, temperature),
      copies: listCopies(gram, examples.length)
        .slice(0, 50)
        .map(([a, b]) => [examples[a]!.name, examples[b]!.name] as const),
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
  return { weights: toPrimalWeights(classifier, vectors), biases: Float32Array.from(classifier.biases) };
}

type JudgedPhotos = ReadonlyMap<number, Judged>;

function toJudged(sums: readonly (Float64Array | undefined)[], classes: readonly number[]): JudgedPhotos {
  return new Map(
    sums.flatMap((own, index) => (own ? [[index, { sums: own, label: classes[index]! }] as const] : [])),
  );
}

const isRight = ({ sums, label }: Judged) => indexOfLargest(sums) === label;
const round = (value: number) => Math.round(value * 1e4) / 1e4;

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

/**
 * The score that so many of the right answers stay above. The least of a few scores would give up more than that, so it is
 * moved towards chance as scenes are missing, by half at most.
 */
function chooseThreshold(
  judged: readonly Judged[],
  temperature: number,
  scenes: number,
  classCount: number,
): number {
  const scores = judged
    .filter(isRight)
    .map(({ sums }) => Math.max(...toProbabilities(sums, temperature)))
    .sort((a, b) => a - b);
  const least = scores[Math.floor(scores.length * sacrificed)];
  if (least === undefined) return 0;
  const chance = 1 / classCount;
  return chance + (least - chance) * Math.min(1, Math.max(0.5, scenes / (1 / sacrificed - 1)));
}

/** Each scene counts once: its photos are right or wrong together. */
function estimateAccuracy(judged: JudgedPhotos, groups: readonly number[]): LessonReport['accuracy'] {
  const scenes = new Map<number, { right: number; count: number }>();
  for (const [index, photo] of judged) {
    const scene = scenes.get(groups[index]!) ?? { right: 0, count: 0 };
    scenes.set(groups[index]!, { right: scene.right + (isRight(photo) ? 1 : 0), count: scene.count + 1 });
  }
  const count = scenes.size;
  if (count === 0) return undefined;
  const estimate = [...scenes.values()].reduce((sum, { right, count: own }) => sum + right / own, 0) / count;
  const z = 1.96;
  const centre = (estimate + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half =
    (z / (1 + z ** 2 / count)) * Math.sqrt((estimate * (1 - estimate)) / count + z ** 2 / (4 * count ** 2));
  return { estimate: round(estimate), low: round(centre - half), high: round(centre + half) };
}

async function accuracyWithHalf(
  set: TrainingSet,
  groups: readonly number[],
  folds: readonly number[],
  penalty: number,
  pace: Pace,
): Promise<number | undefined> {
  const order = new Map([...new Set(groups)].map((group, index) => [group, index]));
  const half = groups.flatMap((group, index) => (order.get(group)! % 2 === 0 ? [index] : []));
  const { sums } = await scoreHeldOut(set, folds, half, penalty, pace);
  const judged = [...toJudged(sums, set.classes).values()];
  return judged.length === 0 ? undefined : round(judged.filter(isRight).length / judged.length);
}

function reportClasses(
  labels: readonly string[],
  classes: readonly number[],
  groups: readonly number[],
  judged: JudgedPhotos,
): ClassReport[] {
  const photos = [...judged.values()];
  return labels.map((label, index) => {
    const own = photos.filter((photo) => photo.label === index);
    const claimed = photos.filter(({ sums }) => indexOfLargest(sums) === index);
    const right = own.filter(isRight).length;
    const members = classes.flatMap((value, at) => (value === index ? [groups[at]!] : []));
    return {
      label,
      photos: members.length,
      scenes: new Set(members).size,
      precision: claimed.length === 0 ? null : round(right / claimed.length),
      recall: own.length === 0 ? null : round(right / own.length),
    };
  });
}

/** Of those that are recognised equally often, the one with the fewest scenes. */
function findWeakest(classes: readonly ClassReport[]): string | undefined {
  const [weakest] = classes
    .filter(({ recall }) => recall !== null && recall < 1)
    .sort((a, b) => a.recall! - b.recall! || a.scenes - b.scenes);
  return weakest?.label;
}

function listConfusions(labels: readonly string[], judged: JudgedPhotos): LessonReport['confusions'] {
  const counts = new Map<string, number>();
  for (const photo of judged.values()) {
    if (isRight(photo)) continue;
    const key = `${photo.label} ${indexOfLargest(photo.sums)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 20)
    .map(([key, photos]) => {
      const [own, other] = key.split(' ').map(Number) as [number, number];
      return { label: labels[own]!, taken_for: labels[other]!, photos };
    });
}

function listDoubtful(
  examples: readonly Example[],
  labels: readonly string[],
  judged: JudgedPhotos,
  temperature: number,
): LessonReport['doubtful'] {
  return [...judged]
    .filter(([, photo]) => !isRight(photo))
    .map(([index, { sums, label }]) => {
      const scores = toProbabilities(sums, temperature);
      const best = indexOfLargest(scores);
      return {
        name: examples[index]!.name,
        label: labels[label]!,
        looks_like: labels[best]!,
        score: round(scores[best]!),
      };
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, 30);
}
