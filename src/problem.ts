import { CodedError, type ErrorCode } from './errors.ts';
import { maxDetailLength } from './limits.ts';

/** 499 is for logs alone: the client that would read it has gone. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 422 | 429 | 499 | 500 | 503;

interface ProblemKind {
  readonly status: ProblemStatus;
  readonly title: string;
}

/** The only place where an error code becomes an HTTP status. The table in docs/api.md is checked against it. */
export const problemKinds: Readonly<Record<ErrorCode, ProblemKind>> = {
  route_not_found: { status: 404, title: 'No such path' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  body_empty: { status: 400, title: 'The body is empty' },
  body_too_large: { status: 413, title: 'The body is too large' },
  body_aborted: { status: 400, title: 'The body ended early' },
  media_type_unsupported: { status: 415, title: 'Unsupported media type' },
  json_invalid: { status: 400, title: 'Invalid JSON' },
  base64_invalid: { status: 400, title: 'Invalid base64' },
  multipart_invalid: { status: 400, title: 'Invalid multipart body' },
  image_field_missing: { status: 400, title: 'No image field' },
  too_many_images: { status: 413, title: 'Too many images' },
  option_invalid: { status: 400, title: 'Invalid option' },
  body_timeout: { status: 408, title: 'The body came too slowly' },
  credential_missing: { status: 401, title: 'No API key' },
  credential_invalid: { status: 401, title: 'API key or token not valid' },
  scope_missing: { status: 403, title: 'Not allowed with this key' },
  host_forbidden: { status: 403, title: 'For this machine alone' },
  upload_tokens_not_configured: { status: 422, title: 'No upload tokens here' },
  rate_limited: { status: 429, title: 'Too many requests' },
  client_closed: { status: 499, title: 'The client went away' },
  url_invalid: { status: 400, title: 'Invalid URL' },
  url_forbidden: { status: 403, title: 'URL not allowed' },
  url_unreachable: { status: 422, title: 'URL gave no image' },
  url_too_large: { status: 413, title: 'The image at the URL is too large' },
  r2_not_configured: { status: 422, title: 'No bucket configured' },
  r2_key_unknown: { status: 404, title: 'No such object in the bucket' },
  tensor_invalid: { status: 400, title: 'Invalid tensor' },
  webhook_source_unknown: { status: 404, title: 'No such webhook source' },
  webhook_signature_invalid: { status: 401, title: 'Webhook signature invalid' },
  webhook_event_unusable: { status: 422, title: 'Webhook event unusable' },
  webhook_endpoint_unknown: { status: 404, title: 'No such endpoint' },
  batch_not_configured: { status: 422, title: 'No batches here' },
  batch_unknown: { status: 404, title: 'No such batch' },
  classifier_not_configured: { status: 422, title: 'Nothing can be taught here' },
  classifier_unknown: { status: 404, title: 'No such classifier' },
  classifier_version_unknown: { status: 404, title: 'No such version' },
  classifier_not_trainable: { status: 409, title: 'Too little to learn from' },
  classifier_quota_exceeded: { status: 409, title: 'No more room' },
  example_unknown: { status: 404, title: 'No such example' },
  storage_unavailable: { status: 503, title: 'Storage unavailable' },
  batch_tier_unavailable: { status: 503, title: 'Batch tier unavailable' },
  batch_retries_exhausted: { status: 503, title: 'Given up after many attempts' },
  chunk_invalid: { status: 400, title: 'Invalid chunk' },
  tier_unauthorized: { status: 401, title: 'Wrong bearer secret' },
  tier_busy: { status: 503, title: 'The tier is busy' },
  idempotency_key_invalid: { status: 400, title: 'Invalid Idempotency-Key' },
  idempotency_key_in_use: { status: 409, title: 'Idempotency-Key in use' },
  idempotency_key_reused: { status: 422, title: 'Idempotency-Key reused' },
  image_not_found: { status: 404, title: 'No image there' },
  image_format_unknown: { status: 415, title: 'Not a known image format' },
  image_format_unsupported: { status: 415, title: 'Unsupported image format' },
  image_malformed: { status: 422, title: 'Malformed image' },
  image_truncated: { status: 422, title: 'Truncated image' },
  image_too_many_pixels: { status: 413, title: 'Too many pixels' },
  image_too_complex: { status: 413, title: 'Image too costly to decode' },
  model_unknown: { status: 404, title: 'No such model' },
  model_unavailable: { status: 503, title: 'Model unavailable' },
  model_corrupt: { status: 503, title: 'Model file corrupt' },
  model_manifest_invalid: { status: 503, title: 'Model manifest invalid' },
  model_out_of_memory: { status: 503, title: 'No memory for the model' },
  model_requires_batch_tier: { status: 422, title: 'Model too large for the edge' },
  embedding_unsupported: { status: 422, title: 'Model gives no embedding' },
  inference_failed: { status: 500, title: 'Inference failed' },
  overloaded: { status: 503, title: 'Too much work at once' },
  access_not_configured: { status: 503, title: 'Access is not configured' },
  configuration_invalid: { status: 503, title: 'The deployment is misconfigured' },
  page_unavailable: { status: 404, title: 'No such page in this deployment' },
  internal: { status: 500, title: 'Internal error' },
};

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(problemKinds, code);
}

/** RFC 9457 problem details. `code` is the stable part; `detail` is for people. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly request_id?: string;
}

/** Messages may quote what was sent; an answer that is as large as a bad request helps nobody. */
function clip(detail: string): string {
  return detail.length <= maxDetailLength ? detail : `${detail.slice(0, maxDetailLength)}...`;
}

/** @param error anything thrown; what is not a CodedError becomes `internal` and shows nothing of itself. */
export function toProblem(error: unknown, requestId?: string): Problem {
  const known =
    error instanceof CodedError ? error : new CodedError('internal', 'Something went wrong on our side.');
  const { status, title } = problemKinds[known.code];
  return {
    type: `urn:resnet-edge:problem:${known.code}`,
    title,
    status,
    code: known.code,
    detail: clip(known.message),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}
