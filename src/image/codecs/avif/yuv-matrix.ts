import type { AvifPicture } from './picture.ts';

/** Factors of Y (x 64 x 65536 / 65792) and chroma (x 64), and what is added to Y: libyuv's fixed-point arithmetic. */
export interface FixedPointMatrix {
  readonly luma: number;
  readonly lumaOffset: number;
  readonly redOfCr: number;
  readonly greenOfCb: number;
  readonly greenOfCr: number;
  readonly blueOfCb: number;
}

type Standard = 'bt601' | 'bt709' | 'bt2020';

const fullLuma = { luma: 16_320, lumaOffset: 32 } as const;
/** libyuv caps blueOfCb at 128, because its SIMD takes no more: exact would be 129, 135 and 137. */
const limitedLuma = { luma: 18_997, lumaOffset: -1160, blueOfCb: 128 } as const;

const fullRange: Readonly<Record<Standard, FixedPointMatrix>> = {
  bt601: { ...fullLuma, redOfCr: 90, greenOfCb: 22, greenOfCr: 46, blueOfCb: 113 },
  bt709: { ...fullLuma, redOfCr: 101, greenOfCb: 12, greenOfCr: 30, blueOfCb: 119 },
  bt2020: { ...fullLuma, redOfCr: 94, greenOfCb: 11, greenOfCr: 37, blueOfCb: 120 },
};
const limitedRange: Readonly<Record<Standard, FixedPointMatrix>> = {
  bt601: { ...limitedLuma, redOfCr: 102, greenOfCb: 25, greenOfCr: 52 },
  bt709: { ...limitedLuma, redOfCr: 115, greenOfCb: 14, greenOfCr: 34 },
  bt2020: { ...limitedLuma, luma: 19_003, redOfCr: 107, greenOfCb: 12, greenOfCr: 42 },
};

/** Matrix coefficients of ITU-T H.273 table 4. */
export const matrixCodes = {
  identity: 0,
  bt709: 1,
  unspecified: 2,
  fcc: 4,
  bt470bg: 5,
  bt601: 6,
  smpte240: 7,
  ycgco: 8,
  bt2020: 9,
  chromaDerived: 12,
  ycgcoRe: 16,
  ycgcoRo: 17,
} as const;

const standardOfMatrix: Readonly<Record<number, Standard>> = {
  [matrixCodes.bt709]: 'bt709',
  [matrixCodes.unspecified]: 'bt601',
  [matrixCodes.bt470bg]: 'bt601',
  [matrixCodes.bt601]: 'bt601',
  [matrixCodes.bt2020]: 'bt2020',
};
/** Where the matrix is derived from the colour primaries (ITU-T H.273 table 2). */
const standardOfPrimaries: Readonly<Record<number, Standard>> = {
  1: 'bt709',
  2: 'bt709',
  5: 'bt601',
  6: 'bt601',
  9: 'bt2020',
};

/**
 * The matrix by which libavif has libyuv convert a picture.
 *
 * @returns undefined where libavif converts by itself.
 * @see libavif reformat_libyuv.c, `getLibYUVConstants`; libyuv row_common.cc, `MAKEYUVCONSTANTS`
 */
export function findFixedPointMatrix({
  layout,
  matrix,
  primaries,
  isFullRange,
}: AvifPicture): FixedPointMatrix | undefined {
  const isGreyIdentity = layout === '4:0:0' && matrix === matrixCodes.identity;
  const standard =
    matrix === matrixCodes.chromaDerived
      ? standardOfPrimaries[primaries]
      : standardOfMatrix[isGreyIdentity ? matrixCodes.bt601 : matrix];
  return standard && (isFullRange ? fullRange : limitedRange)[standard];
}
