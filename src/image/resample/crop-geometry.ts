import type { PreprocessSpec } from '../preprocess-spec.ts';

/** Where the crop lies in the resized image, all in pixels of the resized image. */
export interface CropGeometry {
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Shorter side to `resizeShortestEdge`, the longer one in proportion and truncated, then a square from
 * the centre.
 *
 * @param width of the upright image.
 * @param height of the upright image.
 * @see torchvision.transforms.functional, `_compute_resized_output_size` and `center_crop`;
 *   transformers.image_transforms, `center_crop`, for `floor`
 */
export function toCropGeometry(width: number, height: number, spec: PreprocessSpec): CropGeometry {
  const { centerCrop: size, cropRounding } = spec;
  const round = cropRounding === 'floor' ? Math.floor : roundHalfToEven;
  const [resizedWidth, resizedHeight] = toResized(width, height, spec);
  return {
    resizedWidth,
    resizedHeight,
    left: round((resizedWidth - size) / 2),
    top: round((resizedHeight - size) / 2),
    width: size,
    height: size,
  };
}

function toResized(width: number, height: number, spec: PreprocessSpec): readonly [number, number] {
  const { resizeShortestEdge: edge, resizeBy } = spec;
  if (resizeBy === 'stretch') return [edge, edge];
  return resizeBy === 'factor' ? byFactor(width, height, spec) : byRatio(width, height, edge);
}

function byRatio(width: number, height: number, edge: number): readonly [number, number] {
  return width <= height
    ? [edge, Math.trunc((edge * height) / width)]
    : [Math.trunc((edge * width) / height), edge];
}

/** @see super_gradients.training.processing, `Resize` */
function byFactor(width: number, height: number, spec: PreprocessSpec): readonly [number, number] {
  const factor = Math.max(spec.resizeShortestEdge / height, spec.resizeShortestEdge / width);
  // The rounding error must not make the image smaller than the crop.
  const scale = (side: number) => Math.max(spec.centerCrop, Math.trunc(side * factor));
  return [scale(width), scale(height)];
}

/**
 * The whole image, no larger than a box and never enlarged; sides are rounded to the nearest whole number.
 *
 * @param width of the upright image.
 * @param height of the upright image.
 */
export function toFitGeometry(
  width: number,
  height: number,
  box: { readonly maxWidth: number; readonly maxHeight: number },
): CropGeometry {
  const scale = Math.min(1, box.maxWidth / width, box.maxHeight / height);
  const resizedWidth = Math.max(1, Math.round(width * scale));
  const resizedHeight = Math.max(1, Math.round(height * scale));
  return { resizedWidth, resizedHeight, left: 0, top: 0, width: resizedWidth, height: resizedHeight };
}

/** Python's `round`, which torchvision uses. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
