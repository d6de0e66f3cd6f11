import { submode } from './modes.ts';
import { predictTrueMotion } from './predict-plane.ts';
import { workspaceStride as stride } from './workspace.ts';

/**
 * The 13 samples around a block, from its lower left corner up and then to the right: L K J I, the corner X, A to H, as
 * the specification calls them.
 */
const edge = new Uint8Array(13);
const corner = 4;

/**
 * Predicts 4 x 4 samples of luma.
 *
 * All samples around are in the workspace, so that indexes are in range.
 *
 * @param samples the workspace; the upper left sample is at `to`.
 * @param mode one of `submode`.
 * @see RFC 6386 section 12.3
 */
export function predictBlock(samples: Uint8ClampedArray, to: number, mode: number): void {
  if (mode === submode.trueMotion) {
    predictTrueMotion(samples, to, 4);
    return;
  }
  for (let i = 0; i < 4; i++) edge[3 - i] = samples[to + i * stride - 1]!;
  for (let i = -1; i < 8; i++) edge[corner + 1 + i] = samples[to - stride + i]!;
  predictors[mode]!(samples, to);
}

/** The mean of two neighbours of the edge, the one at `at` being the first. */
const mean2 = (at: number) => (edge[at]! + edge[at + 1]! + 1) >> 1;
/** The weighted mean of three, the one at `at` being the middle. */
const mean3 = (at: number) => (edge[at - 1]! + 2 * edge[at]! + edge[at + 1]! + 2) >> 2;

type Predictor = (samples: Uint8ClampedArray, to: number) => void;

/** Sets 16 samples, row by row. */
function setBlock(samples: Uint8ClampedArray, to: number, values: readonly number[]): void {
  for (let y = 0; y < 4; y++) {
    const row = to + y * stride;
    for (let x = 0; x < 4; x++) samples[row + x] = values[4 * y + x]!;
  }
}

/** Sample (x, y) from those that `start` + x - y names: a diagonal that leads down to the right. */
function setDiagonal(samples: Uint8ClampedArray, to: number, value: (distance: number) => number): void {
  for (let distance = -3; distance <= 3; distance++) {
    const mean = value(distance);
    const first = Math.max(0, -distance);
    const last = Math.min(3, 3 - distance);
    for (let y = first; y <= last; y++) samples[to + y * stride + y + distance] = mean;
  }
}

const predictors: Readonly<Record<number, Predictor>> = {
  [submode.dc]: (samples, to) => {
    let sum = 4;
    for (let i = 0; i < 4; i++) sum += edge[i]! + edge[corner + 1 + i]!;
    setBlock(samples, to, Array<number>(16).fill(sum >> 3));
  },
  [submode.vertical]: (samples, to) => {
    for (let x = 0; x < 4; x++) {
      const value = mean3(corner + 1 + x);
      for (let y = 0; y < 4; y++) samples[to + y * stride + x] = value;
    }
  },
  [submode.horizontal]: (samples, to) => {
    for (let y = 0; y < 4; y++) {
      // The lowest sample on the left stands for the one below it too.
      const value = y < 3 ? mean3(3 - y) : (edge[1]! + 3 * edge[0]! + 2) >> 2;
      samples.fill(value, to + y * stride, to + y * stride + 4);
    }
  },
  [submode.downRight]: (samples, to) => setDiagonal(samples, to, (distance) => mean3(corner + distance)),
  [submode.downLeft]: (samples, to) => {
    for (let sum = 0; sum <= 6; sum++) {
      const middle = corner + 2 + sum;
      // The last sample above stands for the one behind it too.
      const value = sum < 6 ? mean3(middle) : (edge[11]! + 3 * edge[12]! + 2) >> 2;
      for (let y = Math.max(0, sum - 3); y <= Math.min(3, sum); y++) {
        samples[to + y * stride + sum - y] = value;
      }
    }
  },
  [submode.verticalRight]: (samples, to) => {
    const [xa, ab, bc, cd] = [mean2(4), mean2(5), mean2(6), mean2(7)];
    const [kji, jix, ixa, xab, abc, bcd] = [mean3(2), mean3(3), mean3(4), mean3(5), mean3(6), mean3(7)];
    setBlock(samples, to, [xa, ab, bc, cd, ixa, xab, abc, bcd, jix, xa, ab, bc, kji, ixa, xab, abc]);
  },
  [submode.verticalLeft]: (samples, to) => {
    const [ab, bc, cd, de] = [mean2(5), mean2(6), mean2(7), mean2(8)];
    const [abc, bcd, cde, def, efg, fgh] = [mean3(6), mean3(7), mean3(8), mean3(9), mean3(10), mean3(11)];
    setBlock(samples, to, [ab, bc, cd, de, abc, bcd, cde, def, bc, cd, de, efg, bcd, cde, def, fgh]);
  },
  [submode.horizontalDown]: (samples, to) => {
    const [lk, kj, ji, ix] = [mean2(0), mean2(1), mean2(2), mean2(3)];
    const [lkj, kji, jix, ixa, xab, abc] = [mean3(1), mean3(2), mean3(3), mean3(4), mean3(5), mean3(6)];
    setBlock(samples, to, [ix, ixa, xab, abc, ji, jix, ix, ixa, kj, kji, ji, jix, lk, lkj, kj, kji]);
  },
  [submode.horizontalUp]: (samples, to) => {
    const [ij, jk, kl, ijk, jkl] = [mean2(2), mean2(1), mean2(0), mean3(2), mean3(1)];
    const last = edge[0]!;
    const kll = (edge[1]! + 3 * last + 2) >> 2;
    setBlock(samples, to, [
      ...[ij, ijk, jk, jkl],
      ...[jk, jkl, kl, kll],
      ...[kl, kll, last, last],
      ...[last, last, last, last],
    ]);
  },
};
