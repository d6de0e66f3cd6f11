import { z } from '@hono/zod-openapi';
import { type ClassifyChoice, defaultChoice } from '../classify/choice.ts';
import { CodedError } from '../errors.ts';
import { defaultTopK, maxModelNameLength, maxTopK } from '../limits.ts';

/** What a caller may choose, in the query string or in the fields of a multipart or JSON body. */
export interface RequestOptions extends ClassifyChoice {
  /** Undefined for the default model. */
  readonly model: string | undefined;
}

export const optionNames = ['top_k', 'model', 'orientation', 'decode', 'strict'] as const;
type OptionName = (typeof optionNames)[number];
export type RawOptions = Partial<Readonly<Record<OptionName, unknown>>>;

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

/**
 * Declares and checks the options wherever they stand. Defaults stand in the descriptions: TypeScript's generator takes
 * a field that declares one for a field that every body must have.
 */
export const optionsSchema = z.object({
  top_k: topKSchema.optional(),
  model: z
    .string()
    .min(1)
    .max(maxModelNameLength)
    .optional()
    .openapi({ description: 'A name of GET /v1/models; else the default model.' }),
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
  strict: z
    .union([
      z.boolean(),
      // Python's clients write True into a form.
      z
        .string()
        .regex(/^(true|false)$/i)
        .transform((text) => text.toLowerCase() === 'true'),
    ])
    .optional()
    .openapi({
      type: 'boolean',
      description: 'True refuses a damaged file that would otherwise be shown with `image.warnings`.',
    }),
});

const expectations: Readonly<Record<OptionName, string>> = {
  top_k: `a whole number from 1 to ${maxTopK}`,
  model: `a name of 1 to ${maxModelNameLength} characters`,
  orientation: '"apply" or "ignore"',
  decode: '"exact" or "fast"',
  strict: 'true or false',
};

/** Collects the options that are there; a later source spreads over an earlier one. */
export function readOptions(get: (name: OptionName) => unknown): RawOptions {
  return Object.fromEntries(
    optionNames.flatMap((name) => {
      const value = get(name);
      return value === null || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** @throws {CodedError} `option_invalid`, saying what the option must be. */
export function parseOptions(raw: RawOptions): RequestOptions {
  const parsed = optionsSchema.safeParse(raw);
  if (!parsed.success) {
    const name = parsed.error.issues[0]?.path[0] as OptionName;
    throw new CodedError('option_invalid', `${name} must be ${expectations[name]}.`);
  }
  const { top_k, model, orientation, decode, strict } = parsed.data;
  return {
    ...defaultChoice,
    topK: top_k ?? defaultTopK,
    model,
    orientation: orientation ?? defaultChoice.orientation,
    decode: decode ?? defaultChoice.decode,
    strict: strict ?? defaultChoice.strict,
  };
}
