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
 * @see torchvision.transforms.functional, `_compute_resized_output_size` and `center_crop`
 */
export function toCropGeometry(width: number, height: number, spec: PreprocessSpec): CropGeometry {
  const { resizeShortestEdge: edge, centerCrop: size } = spec;
  const resizedWidth = width <= height ? edge : Math.trunc((edge * width) / height);
  const resizedHeight = width <= height ? Math.trunc((edge * height) / width) : edge;
  return {
    resizedWidth,
    resizedHeight,
    left: roundHalfToEven((resizedWidth - size) / 2),
    top: roundHalfToEven((resizedHeight - size) / 2),
    width: size,
    height: size,
  };
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
