import { z } from '@hono/zod-openapi';
import {
  maxClassifierClasses,
  maxClassifierNameLength,
  maxImportReferences,
  maxModelNameLength,
} from '../../limits.ts';
import { referenceSchema } from '../image-request/parse-image-request.ts';
import { problemSchema } from '../openapi.ts';

const time = z.string().openapi({ format: 'date-time' });

/** A name that a person gives: no control characters, no spaces around it. */
export const nameSchema = z
  .string()
  .refine((text) => text.isWellFormed(), 'no half characters')
  .transform((text) => text.normalize('NFC').trim())
  .pipe(
    z
      .string()
      .min(1)
      .max(maxClassifierNameLength)
      .regex(/^[^\p{Cc}]*$/u, 'no control characters')
      .regex(/[^\p{Cf}\p{Z}]/u, 'something to see')
      // In a path a dot and two dots stand for folders.
      .refine((text) => text !== '.' && text !== '..', 'another name than a dot or two'),
  )
  .openapi({ type: 'string', minLength: 1, maxLength: maxClassifierNameLength });

export const createClassifierSchema = z
  .strictObject({
    name: nameSchema,
    classes: z.array(nameSchema).max(maxClassifierClasses).optional(),
    base: z
      .string()
      .min(1)
      .max(maxModelNameLength)
      .optional()
      .openapi({ description: 'The model whose features it learns from; else the default model.' }),
  })
  .openapi('CreateClassifierRequest');

export const renameClassifierSchema = z.strictObject({ name: nameSchema }).openapi('RenameClassifierRequest');

export const importSchema = z
  .strictObject({
    class: nameSchema,
    images: z.array(referenceSchema.strict().openapi('ImageReference')).min(1).max(maxImportReferences),
  })
  .openapi('ImportExamplesRequest');

export const serveSchema = z.strictObject({ version: z.int().positive() }).openapi('ServeVersionRequest');

const accuracySchema = z
  .object({ estimate: z.number(), low: z.number(), high: z.number() })
  .openapi('ClassifierAccuracy', {
    description: 'Of photos whose scene was held out, with its 95 % interval.',
  });

const versionShape = {
  version: z.int(),
  state: z
    .enum(['training', 'ready', 'failed'])
    // Go has one name space for the constants of all enums, and a batch has the state `failed` too.
    .openapi('ClassifierVersionState', {
      'x-enum-varnames': ['VERSION_TRAINING', 'VERSION_READY', 'VERSION_FAILED'],
    }),
  classes: z.int().nullable(),
  examples: z.int().nullable(),
  accuracy: accuracySchema.nullable(),
  error: z.object({ code: z.string(), detail: z.string() }).openapi('ClassifierVersionError').nullable(),
  created_at: time,
};

export const versionSchema = z.object(versionShape).openapi('ClassifierVersion');

export const versionReportSchema = z
  .object({
    ...versionShape,
    report: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi('ClassifierReport', { description: 'docs/own-classes.md says what it has.' }),
  })
  .openapi('ClassifierVersionReport');

export const classifierSchema = z
  .object({
    id: z.string(),
    object: z.string().openapi({ description: '`classifier`.' }),
    name: z.string(),
    model: z.string().openapi({ description: 'The name to classify with.' }),
    base: z.object({ name: z.string(), version: z.string() }).openapi('ClassifierBase'),
    classes: z.array(z.object({ name: z.string(), examples: z.int() }).openapi('ClassifierClass')),
    examples: z.int(),
    imports: z.object({ waiting: z.int(), failed: z.int() }).openapi('ClassifierImportCounts', {
      description: 'Photos that are still to be fetched, or could not be.',
    }),
    version: z.int().nullable().openapi({ description: 'The version that answers.' }),
    stale: z.boolean().openapi({ description: 'Whether examples have changed since the newest version.' }),
    versions: z.array(versionSchema).openapi({ description: 'Newest first.' }),
    created_at: time,
    updated_at: time,
  })
  .openapi('Classifier');

export const classifierListSchema = z
  .object({ classifiers: z.array(classifierSchema), next_after: z.string().nullable() })
  .openapi('ClassifierList');

const exampleShape = { id: z.string(), class: z.string(), name: z.string() };

export const exampleListSchema = z
  .object({
    examples: z.array(z.object({ ...exampleShape, created_at: time }).openapi('ClassifierExample')),
    next_after: z.string().nullable(),
  })
  .openapi('ClassifierExampleList');

export const importListSchema = z
  .object({
    imports: z.array(
      z
        .object({
          id: z.string(),
          class: z.string(),
          url: z.string().optional(),
          r2_key: z.string().optional(),
          error: z
            .object({ code: z.string(), detail: z.string() })
            .openapi('ClassifierImportError')
            .nullable(),
        })
        .openapi('ClassifierImport'),
    ),
    next_after: z.string().nullable(),
  })
  .openapi('ClassifierImportList');

const addedShape = {
  ...exampleShape,
  duplicate: z.boolean().openapi({ description: 'Whether the same picture was in this class already.' }),
};

export const addedSchema = z.object({ ...addedShape, classifier: classifierSchema }).openapi('AddedExample');

export const addedFormSchema = z
  .object({
    results: z.array(
      z
        .object({
          index: z.int().min(0),
          name: z.string().optional(),
          id: addedShape.id.optional(),
          class: addedShape.class.optional(),
          duplicate: addedShape.duplicate.optional(),
          problem: problemSchema.optional(),
        })
        .openapi('AddedExampleResult', { description: 'Either an example, or `problem`.' }),
    ),
    classifier: classifierSchema,
  })
  .openapi('AddedExamples');
