import { tileSide } from './matrix/layout.ts';
import type { MatrixMemory } from './matrix/matrix-memory.ts';
import { multiplyRows } from './matrix/multiply-rows.ts';
import { type Pace, withoutPauses } from './pace.ts';
import { type LinearClassifier, RidgeEquations } from './ridge.ts';

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
  // The largest group first, so that folds get similar sizes.
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

/** Photos by number, and the class of each. */
export interface TrainingSet {
  readonly memory: MatrixMemory;
  /** FP32 (dimensions) of every photo: its coordinates in the space that landmarks span. */
  readonly rows: readonly Float32Array[];
  /** FP64 (dimensions), of `toCentre`. */
  readonly centre: Float64Array;
  /** Class of every photo, 0 to classCount - 1. */
  readonly classes: readonly number[];
  readonly classCount: number;
}

/**
 * Gets the sums of a photo from a classifier that has not seen the photo's group.
 *
 * @param sums FP64 (classes). A class that was not learned has negative infinity.
 * @param at index of the penalty.
 */
export type HearHeldOut = (photo: number, sums: Float64Array, at: number) => void;

/**
 * Scores each photo with a classifier that learns from the other folds, for each penalty. A photo is left out if no other
 * fold has its class. It does not keep sums, because those of all penalties would take tens of megabytes.
 *
 * @param among the photos to use; others are neither learned from nor judged.
 * @param penalties as of `RidgeEquations.solve`.
 */
export async function scoreHeldOut(
  set: TrainingSet,
  folds: readonly number[],
  among: readonly number[],
  penalties: readonly number[],
  hear: HearHeldOut,
  pace: Pace = withoutPauses,
): Promise<void> {
  for (let fold = 0; fold < foldCount; fold++) {
    const learned = among.filter((index) => folds[index] !== fold);
    const counts = new Array<number>(set.classCount).fill(0);
    for (const index of learned) counts[set.classes[index]!]!++;
    if (counts.filter((count) => count > 0).length < 2) continue;
    const asked = among.filter((index) => folds[index] === fold && counts[set.classes[index]!]! > 0);
    await set.memory.within(async () => {
      const equations = new RidgeEquations(set.memory, counts, set.centre);
      for (const index of learned) await equations.add(set.rows[index]!, set.classes[index]!, pace);
      await equations.finish(pace);
      for (const [at, penalty] of penalties.entries()) {
        const judge = async () => {
          const classifier = await equations.solve(penalty, at === penalties.length - 1, pace);
          const hearKnown = (photo: number, sums: Float64Array) => {
            for (const [label, count] of counts.entries()) if (count === 0) sums[label] = -Infinity;
            hear(photo, sums, at);
          };
          await scoreRows(set, asked, classifier, hearKnown, pace);
        };
        await set.memory.within(judge);
      }
    });
  }
}

async function scoreRows(
  { memory, rows, classCount }: TrainingSet,
  asked: readonly number[],
  { weights, biases }: LinearClassifier,
  hear: (photo: number, sums: Float64Array) => void,
  pace: Pace,
): Promise<void> {
  for (let first = 0; first < asked.length; first += tileSide) {
    const block = asked.slice(first, first + tileSide);
    const pause = pace((tileSide * rows[0]!.length * classCount) / 4);
    if (pause) await pause;
    const products = await multiplyRows(
      memory,
      block.map((index) => rows[index]!),
      weights,
    );
    for (const [at, index] of block.entries()) {
      const sums = products[at]!;
      for (let label = 0; label < classCount; label++) sums[label]! += biases[label]!;
      hear(index, sums);
    }
  }
}
