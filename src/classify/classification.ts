import type { ErrorCode } from '../errors.ts';
import type { Tier } from '../protocol/tier/tier.ts';
import type { ImageWarning } from '../warnings.ts';

/**
 * What is known of one image, as it stands on the wire: edge, Node tier, batches, remembered answers and the client
 * share these types, so that a result is made once and never converted. They import types alone, because the client's
 * declarations contain them.
 */
export interface Classification {
  model: string;
  model_version: string;
  /** Where it ran: `node` if the model or the image is beyond an isolate. */
  tier: Tier;
  image: ImageInfo;
  /** Highest score first. None, if each class is answered for itself and none reaches the model's threshold. */
  predictions: Prediction[];
  /** None of the model's classes: its best score is low, or the image looks like nothing that it has learned from. */
  unknown?: true | undefined;
  /** The answers of the other heads, where several were named. */
  others?: HeadAnswer[] | undefined;
}

/** What one of several heads says of an image. */
export type HeadAnswer = Pick<Classification, 'model' | 'model_version' | 'predictions' | 'unknown'>;

export interface ImageInfo {
  format: 'jpeg' | 'png' | 'gif' | 'bmp' | 'tiff' | 'webp' | 'avif' | 'heic';
  /** Pixels, as a person sees the image: after EXIF orientation. */
  width: number;
  height: number;
  /** The pixels are not Pillow's: `decode=fast`, a progressive JPEG without its last refinement, a transcoded image. */
  approximate?: true | undefined;
  /** What is wrong with the file, though it is shown. There is at least one, or the member is missing. */
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

/** What is known of one image in the end: its classification, or why it has none. */
export type ItemResult = Classification | { problem: ItemProblem };

/** What is known of one image of which its features were asked. */
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
