import type { PreprocessSpec } from '../preprocess-spec.ts';

/** Where the crop lies in the resized image, all in pixels of the resized image. */
export interface CropGeometry {
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  readonly left: number;
  readonly top: number;
  readonly size: number;
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
    size,
  };
}

/** Python's `round`, which torchvision uses. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
