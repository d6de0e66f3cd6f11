import { z } from '@hono/zod-openapi';
import { type ClassifyChoice, defaultChoice } from '../../classify/choice.ts';
import { CodedError } from '../../errors.ts';
import { defaultTopK, maxHeadsPerRequest, maxModelNameLength, maxTopK } from '../../limits.ts';

/** Options of a route, wherever they stand: in the query string, in a form's fields or beside the image in JSON. */
export interface OptionSet<Options> {
  /** By name on the wire; all optional. */
  readonly shape: z.ZodRawShape;
  /** By name: what the option must be, in words. */
  readonly expectations: Readonly<Record<string, string>>;
  /** @param values checked by `shape`. @returns them with their defaults. */
  complete(values: Readonly<Record<string, unknown>>): Options;
}

/** Options of every route that decodes an image for a model. */
export interface ImageRequestOptions extends Pick<ClassifyChoice, 'orientation' | 'decode' | 'strict'> {
  /** Undefined for the default model. */
  readonly model: string | undefined;
}

export interface ClassifyRequestOptions extends ClassifyChoice, ImageRequestOptions {}

export type RawOptions = Readonly<Record<string, unknown>>;

const wholeNumber = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number),
]);

export const topKSchema = wholeNumber.pipe(z.int().min(1).max(maxTopK)).openapi({
  type: 'integer',
  minimum: 1,
  maximum: maxTopK,
  description: `Predictions returned, the most probable first. ${defaultTopK} where nothing is said.`,
});

const truth = z.union([
  z.boolean(),
  // Python's clients write True into a form.
  z
    .string()
    .regex(/^(true|false)$/i)
    .transform((text) => text.toLowerCase() === 'true'),
]);

/** A choice between true and false, declared as one. */
export const truthSchema = (description: string) =>
  truth.optional().openapi({ type: 'boolean', description });

/**
 * Defaults stand only in the descriptions, because TypeScript's generator makes a field with a declared default required.
 */
export const imageOptionsSchema = z.object({
  model: z
    .string()
    .min(1)
    .max(maxHeadsPerRequest * (maxModelNameLength + 1))
    .optional()
    .openapi({
      description:
        'A name of GET /v1/models, or a classifier’s id; else the default model. To classify, several heads of one backbone, separated by commas.',
      example: 'resnet18-imagenet1k',
    }),
  orientation: z
    .enum(['apply', 'ignore'])
    .openapi('Orientation', {
      description: '`apply`, the default: EXIF orientation turns the picture upright.',
    })
    .optional(),
  decode: z
    .enum(['exact', 'fast'])
    .openapi('DecodeMode', {
      description: '`exact`, the default. `fast` decodes large JPEGs at reduced size.',
    })
    .optional(),
  strict: truthSchema('True refuses a damaged file that would otherwise be shown with `image.warnings`.'),
});

export const imageExpectations = {
  model: `a name of 1 to ${maxModelNameLength} characters`,
  orientation: '"apply" or "ignore"',
  decode: '"exact" or "fast"',
  strict: 'true or false',
} as const;

export function completeImageOptions({
  model,
  orientation = defaultChoice.orientation,
  decode = defaultChoice.decode,
  strict = defaultChoice.strict,
}: z.infer<typeof imageOptionsSchema>): ImageRequestOptions {
  return { model, orientation, decode, strict };
}

export const classifyOptionsSchema = imageOptionsSchema.extend({ top_k: topKSchema.optional() });

/** What /v1/classify and below take. */
export const classifyOptions: OptionSet<ClassifyRequestOptions> = {
  shape: classifyOptionsSchema.shape,
  expectations: { ...imageExpectations, top_k: `a whole number from 1 to ${maxTopK}` },
  complete(values: z.infer<typeof classifyOptionsSchema>) {
    return { ...defaultChoice, ...completeImageOptions(values), topK: values.top_k ?? defaultTopK };
  },
};

/** Collects the options that are present, so that those of a later source can override those of an earlier one. */
export function readOptions(
  { shape }: Pick<OptionSet<unknown>, 'shape'>,
  get: (name: string) => unknown,
): RawOptions {
  return Object.fromEntries(
    Object.keys(shape).flatMap((name) => {
      const value = get(name);
      return value === null || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** @throws {CodedError} `option_invalid`, saying what the option must be. */
export function parseOptions<Options>(set: OptionSet<Options>, raw: RawOptions): Options {
  const parsed = z.object(set.shape).safeParse(raw);
  if (parsed.success) return set.complete(parsed.data);
  const name = String(parsed.error.issues[0]?.path[0]);
  throw new CodedError('option_invalid', `${name} must be ${set.expectations[name]}.`);
}
