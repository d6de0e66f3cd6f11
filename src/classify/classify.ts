import { CodedError, type ErrorCode } from '../errors.ts';
import { decodeToCrop, type ImageCrop, type ImageOptions } from '../image/image-to-crop.ts';
import type { PreprocessSpec } from '../image/preprocess-spec.ts';
import { sniffImageFormat } from '../image/probe.ts';
import { toTensor } from '../image/to-tensor.ts';
import type { InferenceSession } from '../inference/session.ts';
import type { Fp32Tensor } from '../lib/tensor.ts';
import { topK } from '../lib/top-k.ts';
import type { ClassLabel, ModelManifest } from '../model/manifest.ts';
import type { Scoring } from './choice.ts';
import type { Classification, ImageInfo, Prediction } from './classification.ts';
import { sigmoid, softmax } from './softmax.ts';

/** @returns the same picture, upright, as a file that can be decoded here. If it is smaller, `original` has the old size. */
export type Transcode = (bytes: Uint8Array) => Promise<TranscodedImage>;

export interface TranscodedImage {
  readonly bytes: Uint8Array;
  /** Pixels the picture had. */
  readonly original?: { readonly width: number; readonly height: number };
}

/** Errors that do not mean a bad image: another decoder may take it. */
export const beyondThisDecoder: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'image_format_unsupported',
  'image_too_many_pixels',
  'image_too_complex',
]);

export type Stage = 'decode' | 'preprocess' | 'model' | 'inference';

/** A model that can be used, but may not be loaded yet. */
export interface ClassifyModel {
  readonly manifest: ModelManifest;
  readonly labels: Promise<readonly ClassLabel[]>;
  /** Lends the session while `use` runs. */
  withSession<T>(use: (session: InferenceSession) => Promise<T>): Promise<T>;
}

export interface ClassifyOptions {
  /** Number of predictions, at least 1. */
  readonly topK: number;
  readonly scoring: Scoring;
  readonly image?: ImageOptions;
  /** Makes a JPEG of an image that this isolate cannot decode, or cannot decode within its limits. */
  readonly transcode?: Transcode;
  /** Awaited before the image is decoded. The function that it returns is called when the pixels are freed. */
  readonly admit?: () => Promise<() => void>;
  /** Awaited after each stage, to read the clock (workerd's stands still during CPU work). */
  readonly onStage?: (stage: Stage) => Promise<void> | void;
}

/**
 * The use case: image bytes and a model in, labels out. The image is decoded before the session is
 * asked for, so that a cold isolate decodes while the model is on its way.
 *
 * @param bytes a whole image file in any supported format.
 * @throws {CodedError} `image_*` if the bytes are not an image that can be decoded within the
 *   limits; `inference_failed`.
 */
export async function classify(
  bytes: Uint8Array,
  model: ClassifyModel,
  options: ClassifyOptions,
): Promise<Pick<Classification, 'image' | 'predictions'> & { readonly similarity: number | undefined }> {
  const { manifest } = model;
  const { image, input } = await toModelInput(bytes, manifest.preprocess, options);

  const { data, similarity } = await model.withSession(async (session) => {
    await options.onStage?.('model');
    return await session.run(input);
  });
  await options.onStage?.('inference');

  const predictions = toPredictions(data, manifest, await model.labels, options);
  return { image, predictions, similarity };
}

/**
 * @param output the model's, length = labels.length.
 * @returns the `topK` best classes. If the scoring is the model's own and is `sigmoid`, every class that reaches the
 *   model's threshold, possibly none.
 * @throws {CodedError} `inference_failed` if there is not one score for each label.
 */
export function toPredictions(
  output: Float32Array,
  { output: { kind, scoring: own, threshold } }: Pick<ModelManifest, 'output'>,
  labels: readonly ClassLabel[],
  { topK: count, scoring }: Pick<ClassifyOptions, 'topK' | 'scoring'>,
): Prediction[] {
  if (output.length !== labels.length) {
    throw new CodedError(
      'inference_failed',
      `The model gave ${output.length} scores for ${labels.length} labels.`,
    );
  }
  const scores = kind === 'logits' ? toScores(output, scoring === 'model' ? own : scoring) : output;
  // Sorted by the model's output and not by score, because several sigmoids may round to 1 in float32.
  const best =
    scoring === 'model' && own === 'sigmoid'
      ? topK(output, output.length).filter((index) => scores[index]! >= threshold)
      : topK(output, count);
  return best.map((index) => {
    const { wnid, label } = labels[index]!;
    return { class_index: index, wnid, label, score: scores[index]! };
  });
}

function toScores(logits: Float32Array, scoring: Exclude<Scoring, 'model'>): Float32Array {
  if (scoring === 'softmax') return softmax(logits);
  return scoring === 'none' ? logits : sigmoid(logits);
}

/** How an image is decoded; the part of the options that comes before the model. */
export type DecodeOptions = Pick<ClassifyOptions, 'image' | 'transcode' | 'admit' | 'onStage'>;

/**
 * @returns what the image is, and the model's input: FP32 (1, 3, centerCrop, centerCrop).
 * @throws {CodedError} `image_*`; whatever `admit` and `onStage` throw.
 */
export async function toModelInput(
  bytes: Uint8Array,
  spec: PreprocessSpec,
  options: DecodeOptions,
): Promise<{ image: ImageInfo; input: Fp32Tensor }> {
  const leave = await options.admit?.();
  try {
    const { header, crop, approximate, warnings } = await decodeOrTranscode(bytes, spec, options);
    await options.onStage?.('decode');
    const input = toTensor(crop, spec);
    await options.onStage?.('preprocess');
    const turned = header.orientation >= 5;
    const image = {
      format: header.format,
      width: turned ? header.height : header.width,
      height: turned ? header.width : header.height,
      ...(approximate && ({ approximate } as const)),
      ...(warnings.length > 0 && { warnings: [...warnings] }),
    };
    return { image, input };
  } finally {
    leave?.();
  }
}

async function decodeOrTranscode(
  bytes: Uint8Array,
  spec: PreprocessSpec,
  { image, transcode }: DecodeOptions,
): Promise<ImageCrop> {
  try {
    return await decodeToCrop(bytes, spec, image);
  } catch (error) {
    if (!transcode || !(error instanceof CodedError) || !beyondThisDecoder.has(error.code)) throw error;
    const { bytes: transcoded, original } = await transcode(bytes);
    const decoded = await decodeToCrop(transcoded, spec, image);
    const format = sniffImageFormat(bytes) ?? decoded.header.format;
    // Another decoder made these pixels, perhaps through another JPEG: they are no longer Pillow's.
    return { ...decoded, header: { ...decoded.header, ...original, format }, approximate: true };
  }
}
