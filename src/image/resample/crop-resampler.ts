import type { ImageHeader, Orientation } from '../image.ts';
import type { PixelArena } from '../pixel-arena.ts';
import type { PreprocessSpec } from '../preprocess-spec.ts';
import { ColumnsFirstResampler } from './columns-first-resampler.ts';
import { type CropGeometry, toCropGeometry } from './crop-geometry.ts';
import type { CropSink, StoredAxes } from './crop-sink.ts';
import { binFilter, mirrorFilter, toResampleFilter } from './filter.ts';
import { RowsFirstResampler } from './rows-first-resampler.ts';

/**
 * A resampler whose crop is byte-identical to Pillow's `exif_transpose`, `resize` and `crop`, one after
 * the other, fed with stored rows and holding a few of them.
 *
 * Pillow resizes along one axis of the upright image, rounds to 8 bits, then along the other. A mirrored axis
 * is a mirrored filter. Where the orientation swaps the axes (5 to 8), upright rows are stored columns.
 *
 * @param toGeometry from the upright image's size to what is made of it.
 * @param cellSize 1, or the side of the square of pixels of which each given pixel is the mean.
 * @param arena with it, routines do the work: the same bytes, faster.
 * @see Pillow src/libImaging/Resample.c, `ImagingResampleInner`
 */
export function createResampler(
  { width, height, orientation }: Pick<ImageHeader, 'width' | 'height' | 'orientation'>,
  toGeometry: (uprightWidth: number, uprightHeight: number) => CropGeometry,
  interpolation: PreprocessSpec['interpolation'],
  cellSize = 1,
  arena?: PixelArena,
): CropSink {
  const axes = orientationAxes[orientation];
  const uprightWidth = axes.swap ? height : width;
  const uprightHeight = axes.swap ? width : height;
  const geometry = toGeometry(uprightWidth, uprightHeight);
  const { resizedWidth, resizedHeight } = geometry;

  let across = toResampleFilter(uprightWidth, resizedWidth, geometry.left, geometry.width, interpolation);
  let down = toResampleFilter(uprightHeight, resizedHeight, geometry.top, geometry.height, interpolation);
  if (axes.mirrorX) across = mirrorFilter(across, uprightWidth);
  if (axes.mirrorY) down = mirrorFilter(down, uprightHeight);
  if (cellSize > 1) {
    across = binFilter(across, cellSize);
    down = binFilter(down, cellSize);
  }

  const downFirst = shrinksDownFirst(uprightWidth, uprightHeight, resizedWidth, resizedHeight);
  const upright: StoredAxes = {
    alongRow: across,
    alongColumn: down,
    mirrorsRow: axes.mirrorX,
    mirrorsColumn: axes.mirrorY,
    transposes: false,
  };
  const stored: StoredAxes = axes.swap
    ? {
        alongRow: down,
        alongColumn: across,
        mirrorsRow: axes.mirrorY,
        mirrorsColumn: axes.mirrorX,
        transposes: true,
      }
    : upright;
  return downFirst === axes.swap
    ? new RowsFirstResampler(stored, arena)
    : new ColumnsFirstResampler(stored, arena);
}

/** The crop that a model sees. */
export function createCropResampler(
  header: Pick<ImageHeader, 'width' | 'height' | 'orientation'>,
  spec: PreprocessSpec,
  cellSize = 1,
  arena?: PixelArena,
): CropSink {
  const toGeometry = (width: number, height: number) => toCropGeometry(width, height, spec);
  return createResampler(header, toGeometry, spec.interpolation, cellSize, arena);
}

/**
 * Pillow resizes along the rows first, unless that is the pass which leaves it more to do: tall images that
 * shrink. The two orders round differently, by 1 of 255.
 *
 * Found by comparing with Pillow 13.0.0, whose rule this is for every size tried; versions up to 12 may
 * always begin along the rows.
 */
function shrinksDownFirst(width: number, height: number, toWidth: number, toHeight: number): boolean {
  return toHeight < height && height - toHeight > 2 * (width - toWidth);
}

/** How upright coordinates relate to stored ones; mirrors are along the upright axes. */
interface OrientationAxes {
  readonly swap: boolean;
  readonly mirrorX: boolean;
  readonly mirrorY: boolean;
}

/** @see CIPA DC-008 4.6.4 (Orientation) and Pillow `ImageOps.exif_transpose` */
const orientationAxes: Readonly<Record<Orientation, OrientationAxes>> = {
  1: { swap: false, mirrorX: false, mirrorY: false },
  2: { swap: false, mirrorX: true, mirrorY: false },
  3: { swap: false, mirrorX: true, mirrorY: true },
  4: { swap: false, mirrorX: false, mirrorY: true },
  5: { swap: true, mirrorX: false, mirrorY: false },
  6: { swap: true, mirrorX: true, mirrorY: false },
  7: { swap: true, mirrorX: true, mirrorY: true },
  8: { swap: true, mirrorX: false, mirrorY: true },
};
