import type { ErrorCode } from '../errors.ts';
import type { Tier } from '../protocol/tier/tier.ts';
import type { ImageWarning } from '../warnings.ts';

/**
 * The classification of one image as it stands on the wire. Edge, Node tier, batches, remembered answers and the client
 * share these types, so a result is made once and never converted. This file imports only types, because the client's
 * declarations contain it.
 */
export interface Classification {
  model: string;
  model_version: string;
  /** Where it ran: `node` if the model or the image is too large for an isolate. */
  tier: Tier;
  image: ImageInfo;
  /** Highest score first. Empty if the model is multi-label and no class reaches its threshold. */
  predictions: Prediction[];
  /** The image shows none of the model's classes: the best score is low, or the image is unlike all that it learned from. */
  unknown?: true | undefined;
  /** The answers of the other heads, if the request named several. */
  others?: HeadAnswer[] | undefined;
}

/** The answer of one of several heads. */
export type HeadAnswer = Pick<Classification, 'model' | 'model_version' | 'predictions' | 'unknown'>;

export interface ImageInfo {
  format: 'jpeg' | 'png' | 'gif' | 'bmp' | 'tiff' | 'webp' | 'avif' | 'heic';
  /** Pixels, as a person sees the image: after EXIF orientation. */
  width: number;
  height: number;
  /** The pixels are not Pillow's: `decode=fast`, a progressive JPEG without its last refinement, a transcoded image. */
  approximate?: true | undefined;
  /** Damage of a file that could still be shown. Missing if there is none. */
  warnings?: ImageWarning[] | undefined;
}

/** One class with its score. */
export interface Prediction {
  class_index: number;
  /** WordNet id; unlike the label it is unique. */
  wnid: string;
  label: string;
  /** In [0, 1], unless scoring is 'none'. */
  score: number;
}

/** Why an image has no classification: the members of RFC 9457 that every problem of this service has. */
export interface ItemProblem {
  type?: string | undefined;
  title?: string | undefined;
  /** Stable: an `ErrorCode`, or one of a newer Node tier. */
  code: ErrorCode | (string & {});
  status: number;
  detail: string;
}

/** The final result of one image: its classification, or why it has none. */
export type ItemResult = Classification | { problem: ItemProblem };

/** The features of one image, if a request asks for them. */
export interface EmbeddedImage {
  model: string;
  model_version: string;
  tier: Tier;
  image: ImageInfo;
  /** Numbers in `embedding`. */
  dimensions: number;
  /** Base64 of FP32, little-endian, of length 1. */
  embedding: string;
}
