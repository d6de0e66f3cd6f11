import { z } from 'zod';
import { CodedError } from '../errors.ts';
import type { PreprocessSpec } from '../image/preprocess-spec.ts';
import { formatIssue } from '../lib/format-issue.ts';
import { maxModelNameLength } from '../limits.ts';

/** `resnet18-imagenet1k`: lower case, digits, dots, dashes; safe in a URL and as part of an R2 key. */
export const modelNameSchema = z
  .string()
  .max(maxModelNameLength)
  .regex(/^[a-z0-9][a-z0-9.-]*$/, 'lower-case letters, digits, "." and "-", starting with a letter or digit');

export const modelVersionSchema = z
  .string()
  .max(maxModelNameLength)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, ".", "_" and "-"');

const fileNameSchema = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a plain file name');
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits');
const threeNumbers = z.tuple([z.number(), z.number(), z.number()]);
const fraction = z.number().min(0).max(1);

const fileSchema = z.strictObject({
  file: fileNameSchema,
  bytes: z.int().positive(),
  sha256: sha256Schema,
});

const preprocessSchema = z
  .strictObject({
    resize_shortest_edge: z.int().min(1).max(1024),
    interpolation: z.enum(['bilinear', 'bicubic']),
    resize_by: z.enum(['ratio', 'factor', 'stretch']).optional(),
    center_crop: z.int().min(1).max(1024),
    crop_rounding: z.enum(['half-even', 'floor']).optional(),
    rescale_factor: z.number().positive(),
    channel_order: z.enum(['rgb', 'bgr']).optional(),
    mean: threeNumbers,
    std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
  })
  .refine(
    (spec) => spec.center_crop <= spec.resize_shortest_edge,
    'center_crop exceeds resize_shortest_edge',
  );

/**
 * The formats in which a version may have its network. `onnx` is what onnxruntime runs on any tier, and the others are
 * derived from it; `rni8` is the int8 engine's (src/engine); `ort` is onnxruntime-web's, for graphs that the engine does not run;
 * `onnx_fp16` and `onnx_fp32` are for a GPU, which gains nothing from int8.
 * `head` is a small classifier over the features of another version, its backbone (head.ts).
 */
export const fileKinds = ['onnx', 'rni8', 'ort', 'onnx_fp16', 'onnx_fp32', 'head'] as const;
export type FileKind = (typeof fileKinds)[number];

const filesSchema = z
  .strictObject({
    onnx: fileSchema.optional(),
    rni8: fileSchema.optional(),
    ort: fileSchema.optional(),
    onnx_fp16: fileSchema.optional(),
    onnx_fp32: fileSchema.optional(),
    head: fileSchema.optional(),
  })
  .refine((files) => Object.keys(files).length > 0, 'at least one file is needed');

export const runtimeNames = ['resnet-int8', 'onnxruntime-web'] as const;
export type RuntimeName = (typeof runtimeNames)[number];

const manifestSchema = z
  .strictObject({
    name: modelNameSchema,
    version: modelVersionSchema,
    description: z.string().max(500).optional(),
    files: filesSchema,
    labels: fileSchema,
    datatype: z.enum(['fp32', 'int8']),
    input: z.strictObject({
      name: z.string().min(1),
      shape: z.tuple([z.literal(1), z.literal(3), z.int().positive(), z.int().positive()]),
      datatype: z.literal('FP32'),
      layout: z.literal('NCHW'),
    }),
    output: z.strictObject({
      name: z.string().min(1),
      kind: z.enum(['logits', 'probabilities']),
      /** `sigmoid`: multi-label, several classes may be right. */
      scoring: z.enum(['softmax', 'sigmoid']).default('softmax'),
      /** With `sigmoid`: an answer has the classes of at least this score. */
      threshold: fraction.default(0.5),
      classes: z.int().positive(),
    }),
    preprocess: preprocessSchema,
    backbone: z.strictObject({ name: modelNameSchema, version: modelVersionSchema }).optional(),
    source: z.string().min(1),
    licence: z.string().min(1),
    accuracy: z
      .array(
        z.strictObject({
          dataset: z.string().min(1),
          count: z.int().positive(),
          top1: fraction,
          top5: fraction,
          command: z.string().min(1).optional(),
        }),
      )
      .default([]),
    tier: z.enum(['edge', 'node']),
    runtime_memory_bytes: z.int().positive().optional(),
  })
  .refine(
    ({ input, preprocess }) =>
      input.shape[2] === preprocess.center_crop && input.shape[3] === preprocess.center_crop,
    'input.shape must be [1, 3, center_crop, center_crop]',
  )
  .refine(
    ({ tier, files }) => tier === 'node' || Boolean(files.rni8 ?? files.ort ?? files.head),
    'tier "edge" needs files.rni8, files.ort or files.head',
  )
  .refine(
    ({ backbone, files, tier, output }) =>
      files.head === undefined
        ? backbone === undefined
        : backbone !== undefined && tier === 'edge' && output.kind === 'logits',
    'files.head and backbone need each other, tier "edge" and output.kind "logits"',
  );

/** One model version: its files, its preprocessing, and the meaning of its output. */
export interface ModelManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string | undefined;
  /** The same network, once for each runtime that may serve it. */
  readonly files: ModelFiles;
  readonly labels: ModelFile;
  /** The runtime that runs it in an isolate. */
  readonly runtime: RuntimeName;
  /** The file that `runtime` reads. */
  readonly edgeFile: ModelFile;
  readonly datatype: 'fp32' | 'int8';
  /** NCHW, FP32. */
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly output: ModelOutput;
  readonly preprocess: PreprocessSpec;
  /** The version whose features this one classifies, if it is a head. */
  readonly backbone: { readonly name: string; readonly version: string } | undefined;
  readonly source: string;
  readonly licence: string;
  readonly accuracy: readonly MeasuredAccuracy[];
  readonly tier: 'edge' | 'node';
  /** Linear memory of the runtime after it has loaded and run only this model; `models compile` measures it. */
  readonly runtimeMemoryBytes: number | undefined;
}

export interface ModelOutput {
  readonly name: string;
  /** Probabilities are scores already; logits become scores by `scoring`. */
  readonly kind: 'logits' | 'probabilities';
  /** `softmax`: one class is right. `sigmoid`: multi-label, several classes may be right. */
  readonly scoring: 'softmax' | 'sigmoid';
  /** With `sigmoid`: an answer has the classes of at least this score, in [0, 1]. */
  readonly threshold: number;
  readonly classes: number;
}

/** A server takes the file for its runtime. There is at least one. */
export type ModelFiles = Readonly<Partial<Record<FileKind, ModelFile>>>;

export interface ModelFile {
  readonly file: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface MeasuredAccuracy {
  readonly dataset: string;
  readonly count: number;
  /** Fraction in [0, 1]. */
  readonly top1: number;
  readonly top5: number;
  readonly command?: string | undefined;
}

/**
 * @param json a manifest.json, parsed but not trusted.
 * @throws {CodedError} `model_manifest_invalid`, naming the first field that is wrong.
 */
export function parseManifest(json: unknown): ModelManifest {
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw invalid('manifest.json', parsed.error);
  const { input, output, preprocess, runtime_memory_bytes, files: given, ...rest } = parsed.data;
  const files = Object.fromEntries(Object.entries(given).filter(([, file]) => file)) as ModelFiles;
  return {
    ...rest,
    files,
    runtime: (files.rni8 ?? files.head) ? 'resnet-int8' : 'onnxruntime-web',
    // A version for the batch tier may have no file for the edge: then this is the file that an isolate would have to load.
    edgeFile: files.rni8 ?? files.ort ?? files.head ?? Object.values(files)[0]!,
    description: rest.description,
    backbone: rest.backbone,
    runtimeMemoryBytes: runtime_memory_bytes,
    input: { name: input.name, shape: input.shape },
    output,
    preprocess: {
      resizeShortestEdge: preprocess.resize_shortest_edge,
      interpolation: preprocess.interpolation,
      ...(preprocess.resize_by && { resizeBy: preprocess.resize_by }),
      centerCrop: preprocess.center_crop,
      ...(preprocess.crop_rounding && { cropRounding: preprocess.crop_rounding }),
      rescaleFactor: preprocess.rescale_factor,
      ...(preprocess.channel_order && { channelOrder: preprocess.channel_order }),
      mean: preprocess.mean,
      std: preprocess.std,
    },
  };
}

const catalogSchema = z
  .strictObject({
    default_model: modelNameSchema,
    models: z.array(z.strictObject({ name: modelNameSchema, version: modelVersionSchema })).max(1000),
    /** Names of models in other APIs, and the model here that answers to each. */
    aliases: z.record(z.string().min(1).max(200), modelNameSchema).optional(),
  })
  .refine(
    (catalog) => catalog.models.some((model) => model.name === catalog.default_model),
    'default_model is not among models',
  );

/** The version that each name means now. Moving a name to another version needs no deploy. */
export interface Catalog {
  readonly defaultModel: string;
  readonly versions: ReadonlyMap<string, string>;
  /** Names of models in other APIs, and the model here that answers to each. They override those of `MODEL_ALIASES`. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** @throws {CodedError} `model_manifest_invalid`, naming the first field that is wrong. */
export function parseCatalog(json: unknown): Catalog {
  const parsed = catalogSchema.safeParse(json);
  if (!parsed.success) throw invalid('catalog.json', parsed.error);
  return {
    defaultModel: parsed.data.default_model,
    versions: new Map(parsed.data.models.map((model) => [model.name, model.version])),
    aliases: new Map(Object.entries(parsed.data.aliases ?? {})),
  };
}

const labelsSchema = z
  .array(z.strictObject({ class_index: z.int().nonnegative(), wnid: z.string(), label: z.string() }))
  .refine(
    (rows) => rows.every((row, index) => row.class_index === index),
    'rows must be ordered by class_index',
  );

/** One class. Labels alone are ambiguous: ImageNet has two classes named "crane" and two "maillot". */
export interface ClassLabel {
  readonly wnid: string;
  readonly label: string;
}

/** @throws {CodedError} `model_manifest_invalid` if it is not one row for each of `classes`. */
export function parseLabels(json: unknown, classes: number): readonly ClassLabel[] {
  const parsed = labelsSchema.safeParse(json);
  if (!parsed.success) throw invalid('labels.json', parsed.error);
  if (parsed.data.length !== classes) {
    throw new CodedError(
      'model_manifest_invalid',
      `labels.json has ${parsed.data.length} rows for ${classes} classes.`,
    );
  }
  return parsed.data.map(({ wnid, label }) => ({ wnid, label }));
}

function invalid(file: string, error: z.ZodError): CodedError {
  const issue = formatIssue(error.issues[0], 'the whole');
  return new CodedError('model_manifest_invalid', `${file} is not valid: ${issue}.`, {
    retryAfterSeconds: 30,
  });
}
