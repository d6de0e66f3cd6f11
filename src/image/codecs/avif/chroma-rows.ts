import type { AvifPicture, Columns, Plane } from './picture.ts';

// `!` behind an index: rows and columns are those of the picture, whose planes were checked.

/** Chroma at the size of luma: sample x of row `y` at index x, for the columns that were asked for. */
export type ChromaRows = (y: number) => Uint16Array;

/** How samples are read and put between each other. */
export interface ChromaOptions {
  /** Bits that each sample drops before anything else. */
  readonly droppedBits: number;
  /** Subsampled chroma is that of the nearest sample, not interpolated. */
  readonly isNearest: boolean;
}

/**
 * Enlarges a plane of chroma as libyuv does: each sample counts 3 quarters to either side, in each direction. A row is
 * computed from the two nearest ones. At the right edge of an odd width the last sample counts alone, but not at the
 * lower edge of an odd height.
 *
 * @see libyuv scale_any.cc, `SUH2LANY` and `SU2BLANY`; convert_argb.cc, `I420ToRGB24MatrixBilinear`
 */
export function createChromaRows(
  plane: Plane,
  { width, height, layout }: AvifPicture,
  { left, right }: Columns,
  { droppedBits, isNearest }: ChromaOptions,
): ChromaRows {
  const { samples, start, stride } = plane;
  const row = new Uint16Array(width + 1);
  if (layout === '4:4:4') {
    return (y) => {
      const from = start + y * stride;
      for (let x = left; x < right; x++) row[x] = samples[from + x]! >> droppedBits;
      return row;
    };
  }
  const isHalved = layout === '4:2:0';
  if (isNearest) {
    return (y) => {
      const from = start + (isHalved ? y >> 1 : y) * stride;
      for (let x = left; x < right; x++) row[x] = samples[from + (x >> 1)]! >> droppedBits;
      return row;
    };
  }
  const first = left >> 1;
  const end = (right + 1) >> 1;
  const lastSample = (width - 1) >> 1;
  // Four times the chroma between two rows, one column to the right: those beyond the edges repeat it.
  const between = new Uint16Array(lastSample + 3);
  return (y) => {
    const near = isHalved ? y >> 1 : y;
    const far = isHalved ? findOtherRow(y, height) : y;
    const nearAt = start + near * stride;
    const farAt = start + far * stride;
    const lastNeeded = Math.min(end, lastSample);
    for (let i = Math.max(first - 1, 0); i <= lastNeeded; i++) {
      between[i + 1] = 3 * (samples[nearAt + i]! >> droppedBits) + (samples[farAt + i]! >> droppedBits);
    }
    between[0] = between[1]!;
    between[lastSample + 2] = between[lastSample + 1]!;
    interpolate(between, row, first, end);
    if ((width & 1) === 1 && right === width) row[width - 1] = (between[lastSample + 1]! + 2) >> 2;
    return row;
  };
}

/** The row of chroma that counts a quarter in row `y`; at the upper edge, and the lower of an even height, the nearest. */
function findOtherRow(y: number, height: number): number {
  if ((y & 1) === 0) return Math.max((y >> 1) - 1, 0);
  return y === height - 1 ? y >> 1 : (y >> 1) + 1;
}

function interpolate(between: Uint16Array, row: Uint16Array, first: number, end: number): void {
  let before = between[first]!;
  let here = between[first + 1]!;
  for (let i = first; i < end; i++) {
    const after = between[i + 2]!;
    const threefold = 3 * here + 8;
    row[2 * i] = (threefold + before) >> 4;
    row[2 * i + 1] = (threefold + after) >> 4;
    before = here;
    here = after;
  }
}
