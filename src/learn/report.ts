import { indexOfLargest, type Judged, toProbabilities } from './calibration.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

export interface LessonReport {
  readonly photos: number;
  readonly classes: number;
  /** Photos that are not near-duplicates of another one. */
  readonly scenes: number;
  readonly penalty: number;
  /** Accuracy on photos whose scene was held out, with its 95 % interval (Wilson), by scenes. Undefined if unknown. */
  readonly accuracy: { readonly estimate: number; readonly low: number; readonly high: number } | undefined;
  /**
   * Accuracy with a quarter, a half, three quarters and all of the scenes, as far as it could be measured. Each scene
   * counts once. If the curve still rises at its end, more photos will help.
   */
  readonly learning_curve: readonly { readonly photos: number; readonly accuracy: number }[];
  readonly calibration_error: number | undefined;
  readonly threshold: number;
  readonly min_similarity: number;
  /** The class that is recognised least: more photos of it would help most. Undefined if no recall is known. */
  readonly helps_most: string | undefined;
  readonly per_class: readonly ClassReport[];
  /** Which class is taken for which, most frequent first. */
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

/** Photos that were judged by a classifier which had not seen their scene, by index. */
export type JudgedPhotos = ReadonlyMap<number, Judged>;

export const isRight = ({ sums, label }: Judged) => indexOfLargest(sums) === label;
export const round = (value: number) => Math.round(value * 1e4) / 1e4;

export const toRights = (judged: JudgedPhotos) =>
  new Map(Array.from(judged, ([photo, one]) => [photo, isRight(one)]));

/**
 * @param rights whether each photo is right, by index.
 * @returns the share of right photos, where each scene counts once, and the scenes.
 */
export function shareByScene(
  rights: ReadonlyMap<number, boolean>,
  groups: readonly number[],
): { readonly share: number; readonly scenes: number } {
  const scenes = new Map<number, { right: number; count: number }>();
  for (const [index, isOneRight] of rights) {
    const scene = scenes.get(groups[index]!) ?? { right: 0, count: 0 };
    scenes.set(groups[index]!, { right: scene.right + (isOneRight ? 1 : 0), count: scene.count + 1 });
  }
  const sum = [...scenes.values()].reduce((total, { right, count }) => total + right / count, 0);
  return { share: sum / scenes.size, scenes: scenes.size };
}

/** With its 95 % interval (Wilson), as if each scene's photos were right or wrong together. */
export function estimateAccuracy(judged: JudgedPhotos, groups: readonly number[]): LessonReport['accuracy'] {
  const { share: estimate, scenes: count } = shareByScene(toRights(judged), groups);
  if (count === 0) return undefined;
  const z = 1.96;
  const centre = (estimate + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half =
    (z / (1 + z ** 2 / count)) * Math.sqrt((estimate * (1 - estimate)) / count + z ** 2 / (4 * count ** 2));
  return { estimate: round(estimate), low: round(centre - half), high: round(centre + half) };
}

export function reportClasses(
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

/** The class that is recognised least; among equal ones the class with the fewest scenes. */
export function findWeakest(classes: readonly ClassReport[]): string | undefined {
  const [weakest] = classes
    .filter(({ recall }) => recall !== null && recall < 1)
    .sort((a, b) => a.recall! - b.recall! || a.scenes - b.scenes);
  return weakest?.label;
}

export function listConfusions(labels: readonly string[], judged: JudgedPhotos): LessonReport['confusions'] {
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

export function listDoubtful(
  examples: readonly { readonly name: string }[],
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

/** @returns how many photos of each class (row) were taken for each class (column). */
export function countConfusions(classCount: number, judged: JudgedPhotos): number[][] {
  const matrix = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0));
  for (const { sums, label } of judged.values()) matrix[label]![indexOfLargest(sums)]!++;
  return matrix;
}
