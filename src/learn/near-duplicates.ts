import { dot } from './dot.ts';
import { tileSide } from './matrix/layout.ts';
import type { MatrixMemory } from './matrix/matrix-memory.ts';
import { UnitRowPanels } from './matrix/panels.ts';
import { TiledColumns } from './matrix/tiles.ts';
import type { Pace } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * From this cosine on, two photos count as the same thing in the same light. With this value, on a public set of 81 goods
 * judged on photos of other shops, the true accuracy lies within the report's interval, whether a class has 2 photos or
 * all of them (docs/own-classes.md). With 0.93 estimates are lower, and with 0.95 higher.
 */
const sameSceneCosine = 0.94;
/** From this cosine on, two photos are copies of each other. */
const copyCosine = 0.995;

export interface NearDuplicates {
  /** A group's number for each photo. */
  readonly groups: readonly number[];
  /** Pairs of photos that are copies of each other, the first of them. */
  readonly copies: readonly (readonly [number, number])[];
}

/**
 * Groups photos of one burst. An estimate of accuracy must not learn from one photo of a group and ask about another.
 *
 * @param rows the photos' coordinates, see `LandmarkSpace`. The parts of two photos that coordinates leave out are almost
 *   orthogonal near `sameSceneCosine`, and almost equal near `copyCosine` (measured on 2,640 photos).
 * @param mostCopies pairs of copies that are listed.
 */
export async function findNearDuplicates(
  memory: MatrixMemory,
  rows: readonly Float32Array[],
  mostCopies: number,
  pace: Pace,
): Promise<NearDuplicates> {
  const parents = rows.map((_, index) => index);
  const find = (index: number): number => {
    while (parents[index] !== index) {
      parents[index] = parents[parents[index]!]!;
      index = parents[index]!;
    }
    return index;
  };
  /** Length of the part of a photo that its coordinates leave out. */
  const rests = rows.map((row) => Math.sqrt(Math.max(0, 1 - dot(row, row))));
  const copies: [number, number][] = [];
  const visit = (i: number, j: number, product: number) => {
    if (product >= sameSceneCosine) parents[find(i)] = find(j);
    const isCopy = product + rests[i]! * rests[j]! >= copyCosine;
    if (isCopy && copies.length < mostCopies) copies.push([j, i]);
  };
  await forEachPair(memory, rows, visit, pace);
  return { groups: parents.map((_, index) => find(index)), copies };
}

/** Visits the inner products of all pairs, i > j. */
async function forEachPair(
  memory: MatrixMemory,
  rows: readonly Float32Array[],
  visit: (i: number, j: number, product: number) => void,
  pace: Pace,
): Promise<void> {
  await memory.within(async () => {
    const panels = new UnitRowPanels(memory, rows.length, rows[0]!.length);
    for (const [index, row] of rows.entries()) panels.setRow(index, row);
    const target = new TiledColumns(memory, tileSide, tileSide).tile(0, 0);
    const products = memory.float64(target, tileSide ** 2);
    for (let a = 0; a < panels.rowTiles; a++) {
      for (let b = 0; b <= a; b++) {
        const pause = pace(panels.cost + tileSide ** 2);
        if (pause) await pause;
        products.fill(0);
        panels.addProducts(target, a, panels, b);
        const last = Math.min(rows.length, (a + 1) * tileSide);
        for (let i = a * tileSide; i < last; i++) {
          const end = Math.min(i, (b + 1) * tileSide);
          for (let j = b * tileSide; j < end; j++) {
            visit(i, j, products[(i % tileSide) * tileSide + (j % tileSide)]!);
          }
        }
      }
    }
  });
}
