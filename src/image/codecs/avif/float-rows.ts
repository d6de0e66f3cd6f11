import { unsupported } from '../../image-error.ts';
import { findLumaWeights } from './luma-weights.ts';
import type { AvifPicture, Columns, Plane, RowConverter } from './picture.ts';
import { matrixCodes } from './yuv-matrix.ts';

// `!` behind an index: rows and columns are those of the picture, whose planes were checked.

const { fround } = Math;

/** Floats of 32 bits, each operation rounded: red, green and blue of a pixel, 1 is white. */
type ToColours = (y: number, cb: number, cr: number, colours: Float32Array) => void;

/** YCgCo-R: bits that samples have more than the colours, which are computed in integers. */
const reversibleBits: Readonly<Record<number, number>> = {
  [matrixCodes.ycgcoRe]: 2,
  [matrixCodes.ycgcoRo]: 1,
};
/** Reserved, or not linear: libavif refuses them. */
const unknownMatrices = [3, 10, 11, 13, 14];
const lastMatrix = 17;

/**
 * Converts rows as libavif does without libyuv, in floats of 32 bits: grey pictures, and matrices of which libyuv knows
 * nothing. Grey is looked up; the others are slow, and rare.
 *
 * @throws {CodedError} `image_format_unsupported` of colours that Pillow refuses too.
 * @see libavif reformat.c, `avifImageYUVAnyToRGBAnySlow`; ITU-T H.273 section 8.3
 */
export function createFloatRows(picture: AvifPicture, columns: Columns): RowConverter {
  assertConvertible(picture);
  const { layout, depth, planes, premultipliedBy } = picture;
  const { left, right } = columns;
  const lumas = createTable(picture, 'luma');
  const [luma, ...chroma] = planes;
  const { samples, start, stride } = luma!;
  const top = (1 << depth) - 1;
  const alpha = dividesInFloats(picture) ? premultipliedBy : undefined;
  if (layout === '4:0:0' && !alpha) {
    const bytes = Uint8Array.from(lumas, toByte);
    return (y, rgb) => {
      const from = start + y * stride;
      for (let x = left, at = left * 3; x < right; x++, at += 3) {
        const grey = bytes[samples[from + x]!]!;
        rgb[at] = grey;
        rgb[at + 1] = grey;
        rgb[at + 2] = grey;
      }
    };
  }
  const chromas = picture.matrix === matrixCodes.identity ? lumas : createTable(picture, 'chroma');
  const [readCb = noChroma, readCr = noChroma] = chroma.map((plane) => {
    return createChromaReader(plane, picture, chromas);
  });
  const toColours = createMatrix(picture);
  const colours = new Float32Array(3);
  return (y, rgb) => {
    for (let x = left; x < right; x++) {
      toColours(lumas[samples[start + y * stride + x]!]!, readCb(x, y), readCr(x, y), colours);
      const share = alpha ? fround(alpha.samples[alpha.start + y * alpha.stride + x]! / top) : 1;
      for (let i = 0; i < 3; i++) {
        rgb[x * 3 + i] = toByte(share === 0 ? 0 : fround(clip(colours[i]!) / share));
      }
    }
  };
}

/**
 * Whether libavif divides by alpha before it rounds to bytes. Else libyuv divides bytes.
 *
 * @see libavif reformat.c, `avifImageYUVToRGBImpl`
 */
export function dividesInFloats({ layout, matrix, depth, isFullRange }: AvifPicture): boolean {
  if (layout === '4:2:0' || layout === '4:2:2') return true;
  if (matrix === matrixCodes.identity) return depth !== 8 || !isFullRange;
  return matrix === matrixCodes.ycgco || matrix in reversibleBits;
}

function assertConvertible({ matrix, layout, depth, isFullRange }: AvifPicture): void {
  const needsFullRange = matrix === matrixCodes.ycgco || matrix in reversibleBits;
  const isKnown =
    !unknownMatrices.includes(matrix) &&
    matrix <= lastMatrix &&
    (isFullRange || !needsFullRange) &&
    (matrix !== matrixCodes.identity || layout === '4:4:4' || layout === '4:0:0') &&
    (!(matrix in reversibleBits) || depth - reversibleBits[matrix]! === 8);
  if (!isKnown) throw unsupported('avif', `colours by the matrix ${matrix} of ITU-T H.273, as they are here`);
}

/** Samples as floats: luma of 0 to 1, chroma about 0. */
function createTable({ depth, isFullRange }: AvifPicture, kind: 'luma' | 'chroma'): Float32Array {
  const unit = 1 << (depth - 8);
  const top = (1 << depth) - 1;
  const [bias, range] =
    kind === 'luma'
      ? [isFullRange ? 0 : 16 * unit, isFullRange ? top : 219 * unit]
      : [128 * unit, isFullRange ? top : 224 * unit];
  return Float32Array.from({ length: top + 1 }, (_, sample) => (sample - bias) / range);
}

/** Chroma of one pixel. What is subsampled is interpolated between the four nearest samples. */
function createChromaReader(
  { samples, start, stride }: Plane,
  { width, height, layout }: AvifPicture,
  table: Float32Array,
): (x: number, y: number) => number {
  if (layout === '4:4:4') return (x, y) => table[samples[start + y * stride + x]!]!;
  return (x, y) => {
    const at = start + (layout === '4:2:0' ? y >> 1 : y) * stride + (x >> 1);
    const aside = findStep(x, width);
    const above = layout === '4:2:0' ? findStep(y, height) * stride : 0;
    const read = (from: number, share: number) => fround(table[samples[from]!]! * share);
    const sides = fround(read(at, 9 / 16) + read(at + aside, 3 / 16));
    return fround(fround(sides + read(at + above, 3 / 16)) + read(at + above + aside, 1 / 16));
  };
}

/** To the second nearest sample: none beyond the edges. */
function findStep(position: number, size: number): number {
  const isOdd = (position & 1) === 1;
  if (position === 0 || (isOdd && position === size - 1)) return 0;
  return isOdd ? 1 : -1;
}

function noChroma(): number {
  return 0;
}

function createMatrix({ layout, matrix, primaries, depth }: AvifPicture): ToColours {
  if (layout === '4:0:0') return (y, _cb, _cr, colours) => setColours(colours, y, y, y);
  if (matrix === matrixCodes.identity) return (y, cb, cr, colours) => setColours(colours, cr, y, cb);
  if (matrix === matrixCodes.ycgco) {
    return (y, cg, co, colours) => {
      const rest = fround(y - cg);
      setColours(colours, rest + co, y + cg, rest - co);
    };
  }
  const top = (1 << depth) - 1;
  if (matrix in reversibleBits) {
    return (y, green, orange, colours) => {
      const cg = Math.floor(fround(fround(green * top) + 0.5));
      const co = Math.floor(fround(fround(orange * top) + 0.5));
      const rest = Math.round(y * top) - (cg >> 1);
      const blue = clipByte(rest - (co >> 1));
      setColours(colours, clipByte(blue + co) / 255, clipByte(rest + cg) / 255, blue / 255);
    };
  }
  const { red, green, blue } = findLumaWeights(matrix, primaries);
  const redRest = fround(1 - red);
  const blueRest = fround(1 - blue);
  const [greenOfCr, greenOfCb] = [fround(red * redRest), fround(blue * blueRest)];
  return (y, cb, cr, colours) => {
    const others = fround(fround(greenOfCr * cr) + fround(greenOfCb * cb));
    setColours(
      colours,
      y + fround(2 * redRest * cr),
      y - fround((2 * others) / green),
      y + fround(2 * blueRest * cb),
    );
  };
}

function setColours(colours: Float32Array, red: number, green: number, blue: number): void {
  colours[0] = red;
  colours[1] = green;
  colours[2] = blue;
}

function clip(colour: number): number {
  return Math.min(Math.max(colour, 0), 1);
}

function clipByte(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}

/** 0 to 1 as 0 to 255; more than 1 is white. */
function toByte(colour: number): number {
  return Math.trunc(fround(0.5 + fround(clip(colour) * 255)));
}
