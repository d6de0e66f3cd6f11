import { matrixCodes } from './yuv-matrix.ts';

/** What red, green and blue count in Y, as floats of 32 bits. */
export interface LumaWeights {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** Red and blue by matrix coefficients; the rest of 1 is green. */
const weightsOfMatrix: Readonly<Record<number, readonly [red: number, blue: number]>> = {
  [matrixCodes.bt709]: [0.2126, 0.0722],
  [matrixCodes.fcc]: [0.3, 0.11],
  [matrixCodes.smpte240]: [0.212, 0.087],
  [matrixCodes.bt2020]: [0.2627, 0.0593],
};
const bt601Weights = [0.299, 0.114] as const;

type Chromaticities = readonly [
  redX: number,
  redY: number,
  greenX: number,
  greenY: number,
  blueX: number,
  blueY: number,
  whiteX: number,
  whiteY: number,
];

const bt709Primaries: Chromaticities = [0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329];
/** Those of which libyuv knows no matrix. @see ITU-T H.273 table 2 */
const chromaticities: Readonly<Record<number, Chromaticities>> = {
  4: [0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.31, 0.316],
  7: [0.63, 0.34, 0.31, 0.595, 0.155, 0.07, 0.3127, 0.329],
  8: [0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.31, 0.316],
  10: [1, 0, 0, 1, 0, 0, 0.3333, 0.3333],
  11: [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.314, 0.351],
  12: [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329],
  22: [0.63, 0.34, 0.295, 0.605, 0.155, 0.077, 0.3127, 0.329],
};

const { fround } = Math;
const times = (a: number, b: number) => fround(a * b);
const minus = (a: number, b: number) => fround(a - b);
/** A sum of three floats, from the left. */
const sum = (a: number, b: number, c: number) => fround(fround(a + b) + c);

/**
 * The weights of a matrix that libavif converts by itself. Unknown ones count as BT.601.
 *
 * @param primaries decide where the matrix is derived from them.
 * @see libavif colr.c, `avifCalcYUVCoefficients`
 */
export function findLumaWeights(matrix: number, primaries: number): LumaWeights {
  const [red, blue] = (
    matrix === matrixCodes.chromaDerived
      ? deriveWeights(chromaticities[primaries] ?? bt709Primaries)
      : (weightsOfMatrix[matrix] ?? bt601Weights)
  ).map(fround) as [number, number];
  return { red, green: minus(minus(1, red), blue), blue };
}

/** @see ITU-T H.273 equations 32 to 37; libavif colr.c, `avifColorPrimariesComputeYCoeffs` */
function deriveWeights(primaries: Chromaticities): [red: number, blue: number] {
  // `map` keeps the eight numbers, but TypeScript forgets how many.
  const [rx, ry, gx, gy, bx, by, wx, wy] = primaries.map(fround) as unknown as Chromaticities;
  const rz = minus(1, fround(rx + ry));
  const gz = minus(1, fround(gx + gy));
  const bz = minus(1, fround(bx + by));
  const wz = minus(1, fround(wx + wy));
  const cross = (a: number, b: number, c: number, d: number) => minus(times(a, b), times(c, d));
  const green = cross(gy, bz, by, gz);
  const divisor = times(
    wy,
    sum(times(rx, green), times(gx, cross(by, rz, ry, bz)), times(bx, cross(ry, gz, gy, rz))),
  );
  const red = times(
    ry,
    sum(times(wx, green), times(wy, cross(bx, gz, gx, bz)), times(wz, cross(gx, by, bx, gy))),
  );
  const blue = times(
    by,
    sum(times(wx, cross(ry, gz, gy, rz)), times(wy, cross(gx, rz, rx, gz)), times(wz, cross(rx, gy, gx, ry))),
  );
  return [fround(red / divisor), fround(blue / divisor)];
}
