import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Recipe } from './preprocess-recipes.ts';

/** What the configuration beside an export says of it. */
export interface ExportConfig {
  readonly labels?: readonly string[] | undefined;
  readonly recipe?: Recipe | undefined;
  /** From which file, for whom imports: `preprocessor_config.json beside it`. */
  readonly recipeSource?: string | undefined;
  readonly labelSource?: string | undefined;
  readonly scoring?: 'sigmoid' | undefined;
}

const threeNumbers = z.tuple([z.number(), z.number(), z.number()]);
const side = z.int().positive();

/** `config.json` of transformers, and of timm on the Hugging Face hub; more fields than these are in both. */
const configSchema = z.object({
  id2label: z.record(z.string(), z.string()).optional(),
  problem_type: z.string().nullish(),
  label_names: z.array(z.string()).optional(),
  pretrained_cfg: z
    .object({
      input_size: z.tuple([z.number(), side, side]).optional(),
      test_input_size: z.tuple([z.number(), side, side]).nullish(),
      interpolation: z.string().optional(),
      crop_pct: z.number().positive().max(1).optional(),
      test_crop_pct: z.number().positive().max(1).nullish(),
      crop_mode: z.string().nullish(),
      mean: threeNumbers.optional(),
      std: threeNumbers.optional(),
      label_names: z.array(z.string()).nullish(),
    })
    .optional(),
});

const sizeSchema = z.union([
  z.int().positive(),
  z.object({ shortest_edge: side.optional(), height: side.optional(), width: side.optional() }),
]);

/** `preprocessor_config.json` of transformers. */
const processorSchema = z.object({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: sizeSchema.optional(),
  crop_pct: z.number().positive().max(1).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: sizeSchema.nullish(),
  resample: z.int().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: threeNumbers.optional(),
  image_std: threeNumbers.optional(),
});

/**
 * Reads `config.json` and `preprocessor_config.json` beside an export: of Hugging Face's transformers, or of timm.
 *
 * @param graphSide of the image, where the graph fixes it: timm names two sizes.
 * @throws {Error} if one of them asks for what is not served.
 */
export async function readExportConfig(
  onnxPath: string,
  graphSide: number | undefined,
): Promise<ExportConfig> {
  const folder = dirname(onnxPath);
  const config = await readJson(join(folder, 'config.json'), configSchema);
  const processor = await readJson(join(folder, 'preprocessor_config.json'), processorSchema);
  const labels = config && toLabels(config);
  const timm = config?.pretrained_cfg;
  return {
    ...(labels && { labels, labelSource: 'config.json beside the graph' }),
    ...(config?.problem_type === 'multi_label_classification' && { scoring: 'sigmoid' as const }),
    ...(timm && {
      recipe: toTimmRecipe(timm, graphSide),
      recipeSource: "timm's config.json beside the graph",
    }),
    ...(processor && {
      recipe: toHuggingFaceRecipe(processor),
      recipeSource: 'preprocessor_config.json beside the graph',
    }),
  };
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${path} cannot be read: ${issue?.path.join('.')}: ${issue?.message}.`);
}

function toLabels({ id2label, label_names, pretrained_cfg }: z.infer<typeof configSchema>) {
  if (id2label) {
    return Object.entries(id2label)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, label]) => label);
  }
  return label_names ?? pretrained_cfg?.label_names ?? undefined;
}

function toTimmRecipe(
  config: NonNullable<z.infer<typeof configSchema>['pretrained_cfg']>,
  graphSide: number | undefined,
): Recipe {
  const isTestSize = config.test_input_size?.[1] === graphSide && graphSide !== undefined;
  const fraction = (isTestSize ? config.test_crop_pct : undefined) ?? config.crop_pct ?? 0.875;
  const isStretched = config.crop_mode === 'squash';
  return {
    crop_fraction: isStretched ? 1 : fraction,
    interpolation: config.interpolation === 'bicubic' ? 'bicubic' : 'bilinear',
    ...(isStretched && { resize_by: 'stretch' as const }),
    center_crop: graphSide ?? config.input_size?.[1] ?? 224,
    rescale_factor: 1 / 255,
    // What timm takes where a config says nothing: the ImageNet constants.
    mean: config.mean ?? [0.485, 0.456, 0.406],
    std: config.std ?? [0.229, 0.224, 0.225],
  };
}

/** Pillow's numbers, as transformers writes them. */
const resamples: Readonly<Record<number, Recipe['interpolation']>> = { 2: 'bilinear', 3: 'bicubic' };

function toHuggingFaceRecipe(config: z.infer<typeof processorSchema>): Recipe {
  const kind = config.image_processor_type ?? config.feature_extractor_type ?? '';
  const edges = toSides(config.size ?? 224);
  const interpolation = resamples[config.resample ?? 2];
  if (!interpolation) {
    throw new Error(
      `preprocessor_config.json resizes by Pillow's filter ${config.resample}; bilinear (2) and bicubic (3) are served.`,
    );
  }
  const isNormalised = config.do_normalize !== false;
  const rest = {
    interpolation,
    crop_rounding: 'floor' as const,
    rescale_factor: config.rescale_factor ?? 1 / 255,
    mean: (isNormalised ? config.image_mean : undefined) ?? ([0, 0, 0] as [number, number, number]),
    std: (isNormalised ? config.image_std : undefined) ?? ([1, 1, 1] as [number, number, number]),
  };
  // ConvNeXT's processor, which ResNets have too: `size` is the crop's, and from 384 on the image is stretched to it.
  if (/^ConvNext/i.test(kind)) {
    return edges.short < 384
      ? { ...rest, crop_fraction: config.crop_pct ?? 224 / 256, center_crop: edges.short }
      : { ...rest, crop_fraction: 1, center_crop: edges.short, resize_by: 'stretch' };
  }
  const crop = config.do_center_crop === true ? toSides(config.crop_size ?? edges.short).short : edges.short;
  return {
    ...rest,
    resize_shortest_edge: edges.short,
    center_crop: crop,
    ...(edges.isStretched && { resize_by: 'stretch' as const }),
  };
}

function toSides(size: z.infer<typeof sizeSchema>): {
  readonly short: number;
  readonly isStretched: boolean;
} {
  if (typeof size === 'number') return { short: size, isStretched: false };
  if (size.shortest_edge !== undefined) return { short: size.shortest_edge, isStretched: false };
  if (size.height === undefined || size.height !== size.width) {
    throw new Error('preprocessor_config.json resizes to something that is no square.');
  }
  return { short: size.height, isStretched: true };
}
