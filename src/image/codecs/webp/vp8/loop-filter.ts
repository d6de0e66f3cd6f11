/*
 * Filters along edges between blocks. `p` are the samples before an edge, `q` those behind it, 0 next to it; `step` leads
 * across the edge, `along` to its next sample. The caller has 4 samples on both sides, so indexes are in range.
 */

/** How much an edge may differ to be filtered, and from which difference on it is left sharp. */
export interface FilterLimits {
  /** Of the edge between macroblocks, and of those within. */
  readonly outerEdge: number;
  readonly innerEdge: number;
  /** Of neighbours on one side. */
  readonly interior: number;
  readonly highVariance: number;
}

/**
 * @param level of the macroblock; any integer, cut to 0 to 63.
 * @returns undefined where nothing is filtered.
 * @see RFC 6386 section 15.2 to 15.4, 9.6
 */
export function createFilterLimits(level: number, sharpness: number): FilterLimits | undefined {
  const strength = Math.min(Math.max(level, 0), 63);
  if (strength === 0) return undefined;
  let interior = strength;
  if (sharpness > 0) interior = Math.min(strength >> (sharpness > 4 ? 2 : 1), 9 - sharpness);
  interior = Math.max(interior, 1);
  const inner = 2 * strength + interior;
  return {
    outerEdge: 2 * (inner + 4) + 1,
    innerEdge: 2 * inner + 1,
    interior,
    highVariance: strength >= 40 ? 2 : strength >= 15 ? 1 : 0,
  };
}

const clampByte = (value: number) => (value < 0 ? 0 : Math.min(value, 255));
const clampSigned = (value: number) => (value < -128 ? -128 : Math.min(value, 127));
/** A difference of 11 bits, an eighth of it: to -16 to 15. */
const clampEighth = (value: number) => (value < -16 ? -16 : Math.min(value, 15));

/** @see RFC 6386 section 15.2 */
export function filterSimpleEdge(
  samples: Uint8Array,
  at: number,
  step: number,
  along: number,
  count: number,
  edgeLimit: number,
): void {
  for (let i = 0, q = at; i < count; i++, q += along) {
    if (edgeDifference(samples, q, step) <= edgeLimit) filterTwo(samples, q, step);
  }
}

/**
 * @param betweenMacroblocks whether the stronger filter is taken.
 * @see RFC 6386 section 15.3
 */
export function filterNormalEdge(
  samples: Uint8Array,
  at: number,
  step: number,
  along: number,
  count: number,
  betweenMacroblocks: boolean,
  { outerEdge, innerEdge, interior, highVariance }: FilterLimits,
): void {
  const edgeLimit = betweenMacroblocks ? outerEdge : innerEdge;
  for (let i = 0, q = at; i < count; i++, q += along) {
    if (edgeDifference(samples, q, step) > edgeLimit) continue;
    const p3 = samples[q - 4 * step]!;
    const p2 = samples[q - 3 * step]!;
    const p1 = samples[q - 2 * step]!;
    const p0 = samples[q - step]!;
    const q0 = samples[q]!;
    const q1 = samples[q + step]!;
    const q2 = samples[q + 2 * step]!;
    const q3 = samples[q + 3 * step]!;
    const p1p0 = Math.abs(p1 - p0);
    const q1q0 = Math.abs(q1 - q0);
    if (p1p0 > interior || q1q0 > interior) continue;
    if (Math.abs(p3 - p2) > interior || Math.abs(p2 - p1) > interior) continue;
    if (Math.abs(q3 - q2) > interior || Math.abs(q2 - q1) > interior) continue;
    if (p1p0 > highVariance || q1q0 > highVariance) filterTwo(samples, q, step);
    else if (betweenMacroblocks) filterSix(samples, q, step);
    else filterFour(samples, q, step);
  }
}

function edgeDifference(samples: Uint8Array, q: number, step: number): number {
  const across = Math.abs(samples[q - step]! - samples[q]!);
  return 4 * across + Math.abs(samples[q - 2 * step]! - samples[q + step]!);
}

/** Changes p0 and q0, by all four. */
function filterTwo(samples: Uint8Array, q: number, step: number): void {
  const p0 = samples[q - step]!;
  const q0 = samples[q]!;
  const a = 3 * (q0 - p0) + clampSigned(samples[q - 2 * step]! - samples[q + step]!);
  samples[q - step] = clampByte(p0 + clampEighth((a + 3) >> 3));
  samples[q] = clampByte(q0 - clampEighth((a + 4) >> 3));
}

/** Changes p1 to q1, by p0 and q0. */
function filterFour(samples: Uint8Array, q: number, step: number): void {
  const p0 = samples[q - step]!;
  const q0 = samples[q]!;
  const a = 3 * (q0 - p0);
  const a1 = clampEighth((a + 4) >> 3);
  const a2 = clampEighth((a + 3) >> 3);
  const a3 = (a1 + 1) >> 1;
  samples[q - 2 * step] = clampByte(samples[q - 2 * step]! + a3);
  samples[q - step] = clampByte(p0 + a2);
  samples[q] = clampByte(q0 - a1);
  samples[q + step] = clampByte(samples[q + step]! - a3);
}

/** Changes p2 to q2. */
function filterSix(samples: Uint8Array, q: number, step: number): void {
  const p1 = samples[q - 2 * step]!;
  const p0 = samples[q - step]!;
  const q0 = samples[q]!;
  const q1 = samples[q + step]!;
  const a = clampSigned(3 * (q0 - p0) + clampSigned(p1 - q1));
  const a1 = (27 * a + 63) >> 7;
  const a2 = (18 * a + 63) >> 7;
  const a3 = (9 * a + 63) >> 7;
  samples[q - 3 * step] = clampByte(samples[q - 3 * step]! + a3);
  samples[q - 2 * step] = clampByte(p1 + a2);
  samples[q - step] = clampByte(p0 + a1);
  samples[q] = clampByte(q0 - a1);
  samples[q + step] = clampByte(q1 - a2);
  samples[q + 2 * step] = clampByte(samples[q + 2 * step]! - a3);
}
