import { z } from 'zod';

const threeNumbers = z.tuple([z.number(), z.number(), z.number()]);

/**
 * What a preset says. It is a manifest's `preprocess`, but for one thing: `crop_fraction` says what share of the resized
 * image's shorter side the crop is, so that the recipe holds for every size of crop.
 */
export const recipeSchema = z
  .strictObject({
    resize_shortest_edge: z.int().positive().optional(),
    crop_fraction: z.number().positive().max(1).optional(),
    interpolation: z.enum(['bilinear', 'bicubic']),
    resize_by: z.enum(['ratio', 'factor', 'stretch']).optional(),
    center_crop: z.int().positive(),
    crop_rounding: z.enum(['half-even', 'floor']).optional(),
    rescale_factor: z.number().positive(),
    channel_order: z.enum(['rgb', 'bgr']).optional(),
    mean: threeNumbers,
    std: threeNumbers,
  })
  .refine(
    ({ resize_shortest_edge, crop_fraction }) =>
      (resize_shortest_edge === undefined) !== (crop_fraction === undefined),
    'needs resize_shortest_edge or crop_fraction, and not both',
  );

export type Recipe = z.infer<typeof recipeSchema>;

/** What a person says beside a preset. */
export interface RecipeChanges {
  /** Side of the crop, in pixels. */
  readonly size?: number | undefined;
  /** The shorter side before the crop, in pixels; or the image is stretched to the crop's square. */
  readonly resize?: number | 'stretch' | undefined;
  readonly interpolation?: 'bilinear' | 'bicubic' | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
}

/** A manifest's `preprocess`, as JSON. */
export type PreprocessJson = Omit<Recipe, 'crop_fraction' | 'resize_shortest_edge'> & {
  readonly resize_shortest_edge: number;
};

/**
 * A crop of another size keeps the recipe's proportions: timm and Hugging Face divide by the fraction and round down,
 * torchvision's presets are scaled.
 */
export function toPreprocess(recipe: Recipe, changes: RecipeChanges = {}): PreprocessJson {
  const { crop_fraction: fraction, resize_shortest_edge: edge, resize_by: by, ...rest } = recipe;
  const size = changes.size ?? rest.center_crop;
  const resizeBy = changes.resize === 'stretch' ? 'stretch' : changes.resize === undefined ? by : undefined;
  const scaled =
    fraction === undefined ? Math.round((size * edge!) / rest.center_crop) : Math.floor(size / fraction);
  return {
    resize_shortest_edge: toEdge(changes.resize, size, Math.max(size, scaled)),
    ...(resizeBy && { resize_by: resizeBy }),
    ...rest,
    center_crop: size,
    interpolation: changes.interpolation ?? rest.interpolation,
    mean: changes.mean ? threeNumbers.parse(changes.mean) : rest.mean,
    std: changes.std ? threeNumbers.parse(changes.std) : rest.std,
  };
}

function toEdge(resize: RecipeChanges['resize'], size: number, own: number): number {
  if (resize === 'stretch') return size;
  return resize ?? own;
}
