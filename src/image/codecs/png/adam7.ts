/** One reduced image: every `stepX`-th pixel of every `stepY`-th row. */
export interface ReducedImage {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly width: number;
  readonly height: number;
}

/** Start and step of each pass. @see PNG third edition, 8.1 (interlace methods, Adam7) */
const passes = [
  { x: 0, y: 0, stepX: 8, stepY: 8 },
  { x: 4, y: 0, stepX: 8, stepY: 8 },
  { x: 0, y: 4, stepX: 4, stepY: 8 },
  { x: 2, y: 0, stepX: 4, stepY: 4 },
  { x: 0, y: 2, stepX: 2, stepY: 4 },
  { x: 1, y: 0, stepX: 2, stepY: 2 },
  { x: 0, y: 1, stepX: 1, stepY: 2 },
] as const;

/**
 * The reduced images of an interlaced picture, in the order of the file, without the empty ones.
 */
export function toReducedImages(width: number, height: number): ReducedImage[] {
  return passes
    .map((pass) => ({
      ...pass,
      width: Math.max(0, Math.ceil((width - pass.x) / pass.stepX)),
      height: Math.max(0, Math.ceil((height - pass.y) / pass.stepY)),
    }))
    .filter((reduced) => reduced.width > 0 && reduced.height > 0);
}

/** The whole picture as a single reduced image: what is stored without interlacing. */
export function toWholeImage(width: number, height: number): ReducedImage {
  return { x: 0, y: 0, stepX: 1, stepY: 1, width, height };
}
