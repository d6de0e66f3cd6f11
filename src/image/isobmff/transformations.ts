import type { Orientation, PixelWindow } from '../image.ts';
import { BoxReader } from './box-reader.ts';
import type { Box } from './boxes.ts';

/** How the picture is made of the pixels that are coded: first cut, then turned. */
export interface Transformations {
  /** The coded pixels that are shown. */
  readonly crop: PixelWindow;
  readonly orientation: Orientation;
}

/** x' = a x + b y, y' = c x + d y, about the centre, y downwards. */
type Turn = readonly [a: number, b: number, c: number, d: number];

const upright: Turn = [1, 0, 0, 1];
const quarterTurnLeft: Turn = [0, 1, -1, 0];
const mirrors: readonly Turn[] = [
  [1, 0, 0, -1],
  [-1, 0, 0, 1],
];

/** By the Exif orientation less 1. */
const turns: readonly Turn[] = [
  upright,
  [-1, 0, 0, 1],
  [-1, 0, 0, -1],
  [1, 0, 0, -1],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, -1, -1, 0],
  quarterTurnLeft,
];

/**
 * Puts `clap`, `irot` and `imir` together, in whatever order they are listed: each applies to what the ones before it
 * have made.
 *
 * @param width of the coded pixels.
 * @param crops false where `clap` is ignored.
 * @throws {RangeError} if a property is too short; of an aperture without pixels.
 * @see ISO/IEC 23008-12 section 6.5 (item properties)
 */
export function combineTransformations(
  bytes: Uint8Array,
  properties: readonly Box[],
  width: number,
  height: number,
  crops: boolean,
): Transformations {
  let crop: PixelWindow = { left: 0, top: 0, right: width, bottom: height };
  let turn = upright;
  for (const property of properties) {
    const reader = new BoxReader(bytes, property);
    if (property.type === 'irot') {
      for (let quarters = reader.uint8() & 3; quarters > 0; quarters--) turn = after(quarterTurnLeft, turn);
    } else if (property.type === 'imir') {
      turn = after(mirrors[reader.uint8() & 1]!, turn);
    } else if (property.type === 'clap' && crops) {
      crop = cropTurned(crop, turn, reader);
    }
  }
  const orientation = (turns.findIndex((known) => known.every((value, i) => value === turn[i])) +
    1) as Orientation;
  return { crop, orientation };
}

/** The turn that does `first` and then `second`. */
function after([a, b, c, d]: Turn, [e, f, g, h]: Turn): Turn {
  // 0 is added, so that there is no -0.
  return [a * e + b * g + 0, a * f + b * h + 0, c * e + d * g + 0, c * f + d * h + 0];
}

/** Cuts an aperture, which is given in turned coordinates, out of `crop`, which is in coded ones. */
function cropTurned(crop: PixelWindow, [a, b, c, d]: Turn, aperture: BoxReader): PixelWindow {
  const codedWidth = crop.right - crop.left;
  const codedHeight = crop.bottom - crop.top;
  const [width, height] = a === 0 ? [codedHeight, codedWidth] : [codedWidth, codedHeight];
  const [apertureWidth, apertureHeight, offsetX, offsetY] = Array.from({ length: 4 }, () => {
    return { numerator: aperture.int32(), denominator: aperture.uint32() };
  }) as [Fraction, Fraction, Fraction, Fraction];
  // libheif rounds the left edge down and the others to the nearest pixel.
  const left = place(offsetX, width, apertureWidth, Math.floor);
  const top = place(offsetY, height, apertureHeight, Math.round);
  const right = Math.min(width, left + Math.round(toNumber(apertureWidth)));
  const bottom = Math.min(height, top + Math.round(toNumber(apertureHeight)));
  const x = [2 * Math.max(0, left) - width, 2 * right - width] as const;
  const y = [2 * Math.max(0, top) - height, 2 * bottom - height] as const;
  if (!(x[0] < x[1] && y[0] < y[1])) throw new RangeError('its clean aperture has no pixels');
  // A turn's inverse is its transpose.
  const across = [0, 1].map((i) => crop.left + (a * x[i]! + c * y[i]! + codedWidth) / 2);
  const down = [0, 1].map((i) => crop.top + (b * x[i]! + d * y[i]! + codedHeight) / 2);
  return {
    left: Math.min(...across),
    right: Math.max(...across),
    top: Math.min(...down),
    bottom: Math.max(...down),
  };
}

interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

function toNumber({ numerator, denominator }: Fraction): number {
  return numerator / denominator;
}

function place(offset: Fraction, size: number, aperture: Fraction, round: (x: number) => number): number {
  return round(toNumber(offset) + (size - 1) / 2 - (toNumber(aperture) - 1) / 2);
}
