import { type Pace, withoutPauses } from './pace.ts';
import { fitRidge, scoreExample, type TrainingSet } from './ridge.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const foldCount = 5;

/**
 * A fold for each photo. A group stays together, and classes are spread evenly. It is deterministic.
 *
 * @param groups a group's number for each photo.
 * @returns 0 to foldCount - 1 for each photo.
 */
export function assignFolds(classes: readonly number[], groups: readonly number[]): number[] {
  const members = new Map<number, number[]>();
  for (const [index, group] of groups.entries()) members.set(group, [...(members.get(group) ?? []), index]);
  // The largest group first, so that folds come out alike.
  const ordered = [...members.values()].sort((a, b) => b.length - a.length || a[0]! - b[0]!);
  const sizes = new Float64Array(foldCount);
  const perClass = new Map<number, Float64Array>();
  const folds = new Array<number>(classes.length).fill(0);
  for (const group of ordered) {
    const label = classes[group[0]!]!;
    const own = perClass.get(label) ?? new Float64Array(foldCount);
    perClass.set(label, own);
    let best = 0;
    for (let fold = 1; fold < foldCount; fold++) {
      if (own[fold]! - own[best]! || sizes[fold]! - sizes[best]!) {
        const isEmptier = own[fold]! < own[best]! || (own[fold] === own[best] && sizes[fold]! < sizes[best]!);
        if (isEmptier) best = fold;
      }
    }
    for (const index of group) folds[index] = best;
    own[best]! += group.length;
    sizes[best]! += group.length;
  }
  return folds;
}

/** What a classifier that never saw a photo's group says of it. */
export interface HeldOut {
  /** FP64 (classes), undefined where no other group has the photo's class. */
  readonly sums: readonly (Float64Array | undefined)[];
}

/**
 * @param among the photos to use; others are neither learned from nor judged.
 * @param penalty of `fitRidge`.
 */
export async function scoreHeldOut(
  set: TrainingSet,
  folds: readonly number[],
  among: readonly number[],
  penalty: number,
  pace: Pace = withoutPauses,
): Promise<HeldOut> {
  const sums: (Float64Array | undefined)[] = set.classes.map(() => undefined);
  for (let fold = 0; fold < foldCount; fold++) {
    const learned = among.filter((index) => folds[index] !== fold);
    const known = new Set(learned.map((index) => set.classes[index]!));
    if (known.size < 2) continue;
    const renumbered = renumber(set, known);
    const classifier = await fitRidge(renumbered.set, learned, penalty, pace);
    for (const index of among) {
      if (folds[index] !== fold || !known.has(set.classes[index]!)) continue;
      const pause = pace(learned.length * known.size);
      if (pause) await pause;
      const own = scoreExample(classifier, renumbered.set, index);
      sums[index] = Float64Array.from({ length: set.classCount }, (_, label) => {
        const at = renumbered.numbers.get(label);
        return at === undefined ? Number.NEGATIVE_INFINITY : own[at]!;
      });
    }
  }
  return { sums };
}

/** A fold may lack a class: the others are numbered without a gap. */
function renumber(set: TrainingSet, known: ReadonlySet<number>) {
  const numbers = new Map([...known].sort((a, b) => a - b).map((label, index) => [label, index]));
  const classes = set.classes.map((label) => numbers.get(label) ?? -1);
  return { numbers, set: { gram: set.gram, classes, classCount: known.size } };
}
