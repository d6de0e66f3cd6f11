import type { Classification, HeadAnswer, ImageInfo, Prediction } from '../classify/classification.ts';
import type { ErrorCode } from '../errors.ts';
import type { Tier } from '../protocol/tier/tier.ts';

/**
 * What the service answers, as it stands on the wire. Written out, so that the client's declarations need no other
 * package's; test/http/client-types.test.ts holds them equal to the schemas that the service answers by.
 */
export type { HeadAnswer, ImageInfo, Prediction } from '../classify/classification.ts';

/** The answer for one image. */
export interface ClassifyAnswer extends Classification {
  /** The request's id. */
  id: string;
}

/** The answer of an embedding. */
export interface EmbedAnswer {
  id: string;
  model: string;
  model_version: string;
  image: ImageInfo;
  /** Numbers in `embedding`. */
  dimensions: number;
  /** FP32; of length 1 unless `normalize` was false, so that a dot product is the cosine. */
  embedding: number[];
}

export interface ModelSummary {
  name: string;
  version: string;
  default: boolean;
  /** Names of other APIs that this model answers to. */
  aliases: string[];
}

export interface ModelCard {
  name: string;
  version: string;
  description?: string | undefined;
  /** The same network, once for each runtime that may serve it. */
  files: {
    kind: 'onnx' | 'rni8' | 'ort' | 'onnx_fp16' | 'onnx_fp32' | 'head';
    bytes: number;
    sha256: string;
  }[];
  runtime: 'resnet-int8' | 'onnxruntime-web';
  datatype: 'fp32' | 'int8';
  input: { name: string; shape: number[]; datatype: string };
  output: {
    name: string;
    kind: 'logits' | 'probabilities';
    /** `softmax`: one class is right. `sigmoid`: each class is answered for itself. */
    scoring: 'softmax' | 'sigmoid';
    /** With `sigmoid`: an answer has the classes of at least this score. */
    threshold: number;
    classes: number;
  };
  preprocess: {
    resize_shortest_edge: number;
    interpolation: 'bilinear' | 'bicubic';
    resize_by: 'ratio' | 'factor' | 'stretch';
    center_crop: number;
    crop_rounding: 'half-even' | 'floor';
    rescale_factor: number;
    channel_order: 'rgb' | 'bgr';
    mean: number[];
    std: number[];
  };
  /** The version whose features this one classifies, if it is a head. */
  backbone?: { name: string; version: string } | undefined;
  source: string;
  licence: string;
  accuracy: { dataset: string; count: number; top1: number; top5: number; command?: string | undefined }[];
  tier: Tier;
  /** Whether the isolate that answered has it in memory. */
  loaded: boolean;
}

/** RFC 9457 problem details. `code` is stable, `detail` is for people. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  request_id?: string | undefined;
}

/** A file of a form: either a classification, or why it has none. */
export interface ImageResult {
  index: number;
  name?: string | undefined;
  tier?: Tier | undefined;
  image?: ImageInfo | undefined;
  predictions?: Prediction[] | undefined;
  /** None of the model's classes. */
  unknown?: true | undefined;
  /** The answers of the other heads, where several were named. */
  others?: HeadAnswer[] | undefined;
  problem?: Problem | undefined;
}

export interface ClassifyFormAnswer {
  id: string;
  model: string;
  model_version: string;
  results: ImageResult[];
}

/** A file of a form: either a vector, or why it has none. */
export interface EmbedResult {
  index: number;
  name?: string | undefined;
  image?: ImageInfo | undefined;
  dimensions?: number | undefined;
  embedding?: number[] | undefined;
  problem?: Problem | undefined;
}

export interface EmbedFormAnswer {
  id: string;
  model: string;
  model_version: string;
  results: EmbedResult[];
}

/** A line of a batch's results. */
export interface BatchResult extends Omit<ImageResult, 'others'> {
  /** With the task `embed`: numbers in `embedding`. */
  dimensions?: number | undefined;
  /** With the task `embed`: base64 of float32, little-endian, of length 1. */
  embedding?: string | undefined;
  model?: string | undefined;
  model_version?: string | undefined;
}

export interface Batch {
  id: string;
  status: 'starting' | 'processing' | 'succeeded' | 'partial' | 'failed' | 'canceled';
  model: string;
  model_version: string;
  task: 'classify' | 'embed';
  top_k: number;
  tier: Tier;
  counts: { total: number; succeeded: number; failed: number; pending: number };
  /** Items a second since it started. */
  rate: number;
  /** Times are ISO 8601. */
  estimated_finish_at: string | null;
  /** What holds it up right now. */
  trouble: string | null;
  webhook_url: string | null;
  metadata: Record<string, unknown>;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  expires_at: string | null;
}
