import type { Classification } from '../classify/classification.ts';
import type { ErrorCode } from '../errors.ts';
import type { Tier } from '../protocol/tier/tier.ts';

/**
 * What the service answers, as it stands on the wire. Written out, so that the client's declarations need no other
 * package's; test/http/client-types.test.ts holds them equal to the schemas that the service answers by.
 */
export type { ImageInfo, Prediction } from '../classify/classification.ts';

/** The answer for one image. */
export interface ClassifyAnswer extends Classification {
  /** The request's id. */
  id: string;
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
  files: { kind: 'onnx' | 'rni8' | 'ort' | 'onnx_fp16' | 'onnx_fp32'; bytes: number; sha256: string }[];
  runtime: 'resnet-int8' | 'onnxruntime-web';
  datatype: 'fp32' | 'int8';
  input: { name: string; shape: number[]; datatype: string };
  output: { name: string; kind: 'logits' | 'probabilities'; classes: number };
  preprocess: {
    resize_shortest_edge: number;
    interpolation: 'bilinear' | 'bicubic';
    center_crop: number;
    rescale_factor: number;
    mean: number[];
    std: number[];
  };
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
