import type { PixelArena } from '../../pixel-arena.ts';
import type { ComponentPlane } from './component-plane.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * How a component gets to the size of the image. "Fancy" is linear interpolation with the samples at
 * their true centres, libjpeg's default; `replicate` repeats each sample.
 */
export type Upsampling = 'none' | 'fancyH2V1' | 'fancyH1V2' | 'fancyH2V2' | 'replicate';

/** Pixels that upsampling may write behind the last one that is needed. */
export const lineMargin = 16;

/** One row of a component at full size: pixel x is `samples[start + x]`. */
export interface ComponentLine {
  samples: Uint8Array;
  start: number;
  /** Room for a row that has to be computed. */
  readonly buffer: Uint8Array;
}

/** @see libjpeg-turbo jdsample.c, `jinit_upsampler` */
export function chooseUpsampling({ expandX, expandY, width }: ComponentPlane): Upsampling {
  if (expandX === 1 && expandY === 1) return 'none';
  if (expandX === 1 && expandY === 2) return 'fancyH1V2';
  // Too narrow for three neighbours.
  if (width <= 2) return 'replicate';
  if (expandX === 2 && expandY === 1) return 'fancyH2V1';
  if (expandX === 2 && expandY === 2) return 'fancyH2V2';
  return 'replicate';
}

/** The upsampling for an image whose samples are repeated and not interpolated. */
export function chooseReplication({ expandX, expandY }: ComponentPlane): Upsampling {
  return expandX === 1 && expandY === 1 ? 'none' : 'replicate';
}

/** True if a row also depends on the rows above and below it. */
export function needsNeighbourRows(upsampling: Upsampling): boolean {
  return upsampling === 'fancyH1V2' || upsampling === 'fancyH2V2';
}

/**
 * One row of a component at full size. A component that has it already is not copied.
 *
 * @param y row of the image; the component's rows around it must be in its ring.
 * @param left first column needed.
 * @param right one past the last column needed.
 * @param line is made to show the row; its buffer holds `lineMargin` pixels more than `right`.
 * @param routines given if plane and line are in their memory.
 */
export function upsampleRow(
  plane: ComponentPlane,
  upsampling: Upsampling,
  y: number,
  left: number,
  right: number,
  line: ComponentLine,
  routines: PixelArena['routines'] | undefined,
): void {
  const { samples } = plane;
  if (upsampling === 'none') {
    line.samples = samples;
    line.start = plane.rowStart(y);
    return;
  }
  const { buffer } = line;
  line.samples = buffer;
  line.start = 0;
  switch (upsampling) {
    case 'fancyH2V1':
      fancyH2V1(samples, plane.rowStart(y), plane.width, left, right, buffer, routines);
      return;
    case 'fancyH1V2': {
      const { near, far } = neighbourRows(plane, y);
      // The bias alternates, so that rounding errors do not add up to a drift.
      const bias = (y & 1) === 0 ? 1 : 2;
      for (let x = left; x < right; x++) buffer[x] = (samples[near + x]! * 3 + samples[far + x]! + bias) >> 2;
      return;
    }
    case 'fancyH2V2': {
      const { near, far } = neighbourRows(plane, y);
      fancyH2V2(samples, near, far, plane.width, left, right, buffer, routines);
      return;
    }
    case 'replicate': {
      const row = plane.rowStart(Math.floor(y / plane.expandY));
      for (let x = left; x < right; x++) buffer[x] = samples[row + Math.floor(x / plane.expandX)]!;
    }
  }
}

/** The row of samples that a pixel lies in, and the neighbour that is closer; at the image's edges, the same row twice. */
function neighbourRows(plane: ComponentPlane, y: number): { near: number; far: number } {
  const row = y >> 1;
  const other = (y & 1) === 0 ? Math.max(row - 1, 0) : Math.min(row + 1, plane.height - 1);
  return { near: plane.rowStart(row), far: plane.rowStart(other) };
}

/** Weights 3/4 and 1/4. @see libjpeg-turbo jdsample.c, `h2v1_fancy_upsample` */
function fancyH2V1(
  samples: Uint8Array,
  row: number,
  width: number,
  left: number,
  right: number,
  line: Uint8Array,
  routines: PixelArena['routines'] | undefined,
): void {
  const last = width - 1;
  const end = Math.min(last, (right + 1) >> 1);
  let x = left >> 1;
  if (x === 0) {
    line[0] = samples[row]!;
    line[1] = (samples[row]! * 3 + samples[row + 1]! + 2) >> 2;
    x = 1;
  }
  if (routines) {
    routines.fancy_h2v1(samples.byteOffset + row + x, line.byteOffset + 2 * x, end - x);
  } else {
    for (; x < end; x++) {
      const weighted = samples[row + x]! * 3;
      line[2 * x] = (weighted + samples[row + x - 1]! + 1) >> 2;
      line[2 * x + 1] = (weighted + samples[row + x + 1]! + 2) >> 2;
    }
  }
  if ((right + 1) >> 1 > last) {
    line[2 * last] = (samples[row + last]! * 3 + samples[row + last - 1]! + 1) >> 2;
    line[2 * last + 1] = samples[row + last]!;
  }
}

/** Weights 9/16, 3/16, 3/16, 1/16. @see libjpeg-turbo jdsample.c, `h2v2_fancy_upsample` */
function fancyH2V2(
  samples: Uint8Array,
  near: number,
  far: number,
  width: number,
  left: number,
  right: number,
  line: Uint8Array,
  routines: PixelArena['routines'] | undefined,
): void {
  const last = width - 1;
  const end = Math.min(last, (right + 1) >> 1);
  const column = (at: number) => samples[near + at]! * 3 + samples[far + at]!;
  let x = Math.max(left >> 1, 1);
  if (left < 2) {
    line[0] = (column(0) * 4 + 8) >> 4;
    line[1] = (column(0) * 3 + column(1) + 7) >> 4;
  }
  if (routines) {
    const { byteOffset } = samples;
    routines.fancy_h2v2(byteOffset + near + x, byteOffset + far + x, line.byteOffset + 2 * x, end - x);
  } else {
    let before = column(x - 1);
    let here = column(x);
    for (; x < end; x++) {
      const after = samples[near + x + 1]! * 3 + samples[far + x + 1]!;
      const weighted = here * 3;
      line[2 * x] = (weighted + before + 8) >> 4;
      line[2 * x + 1] = (weighted + after + 7) >> 4;
      before = here;
      here = after;
    }
  }
  if ((right + 1) >> 1 > last) {
    line[2 * last] = (column(last) * 3 + column(last - 1) + 8) >> 4;
    line[2 * last + 1] = (column(last) * 4 + 7) >> 4;
  }
}
