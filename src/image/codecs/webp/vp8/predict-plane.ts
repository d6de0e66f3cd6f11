import { submode } from './modes.ts';
import { workspaceStride as stride } from './workspace.ts';

/**
 * Predicts 16 x 16 samples of luma or 8 x 8 of chroma from the row above, the column on the left and the corner.
 *
 * All of these are in the workspace, so that indexes are in range.
 *
 * @param samples the workspace; the upper left sample is at `to`.
 * @param mode one of the first four of `submode`.
 * @param hasAbove whether the row above is part of the image, not invented.
 * @see RFC 6386 section 12.2
 */
export function predictPlane(
  samples: Uint8ClampedArray,
  to: number,
  side: 16 | 8,
  mode: number,
  hasAbove: boolean,
  hasLeft: boolean,
): void {
  switch (mode) {
    case submode.trueMotion:
      predictTrueMotion(samples, to, side);
      return;
    case submode.vertical:
      for (let y = 0; y < side; y++) samples.copyWithin(to + y * stride, to - stride, to - stride + side);
      return;
    case submode.horizontal:
      for (let y = 0; y < side; y++) {
        const row = to + y * stride;
        samples.fill(samples[row - 1]!, row, row + side);
      }
      return;
    default: {
      const mean = meanOfEdges(samples, to, side, hasAbove, hasLeft);
      for (let y = 0; y < side; y++) samples.fill(mean, to + y * stride, to + y * stride + side);
    }
  }
}

/** What lies above plus what lies on the left less the corner, clamped; also for blocks of 4 x 4. */
export function predictTrueMotion(samples: Uint8ClampedArray, to: number, side: number): void {
  const corner = samples[to - stride - 1]!;
  for (let y = 0; y < side; y++) {
    const row = to + y * stride;
    const difference = samples[row - 1]! - corner;
    for (let x = 0; x < side; x++) samples[row + x] = samples[to - stride + x]! + difference;
  }
}

/** Of the edges that there are; 128 without any. */
function meanOfEdges(
  samples: Uint8ClampedArray,
  to: number,
  side: 16 | 8,
  hasAbove: boolean,
  hasLeft: boolean,
): number {
  if (!hasAbove && !hasLeft) return 128;
  let sum = 0;
  if (hasAbove) for (let x = 0; x < side; x++) sum += samples[to - stride + x]!;
  if (hasLeft) for (let y = 0; y < side; y++) sum += samples[to + y * stride - 1]!;
  const count = hasAbove && hasLeft ? 2 * side : side;
  return Math.trunc((sum + count / 2) / count);
}
