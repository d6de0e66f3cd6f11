/**
 * Every failure a caller can meet, by a stable code. A code is part of the public API: it may be
 * added, never renamed. problem.ts alone knows which HTTP status a code becomes.
 */
export type ErrorCode =
  // the request
  | 'route_not_found'
  | 'method_not_allowed'
  | 'body_empty'
  | 'body_too_large'
  | 'body_aborted'
  | 'media_type_unsupported'
  | 'json_invalid'
  | 'base64_invalid'
  | 'multipart_invalid'
  | 'image_field_missing'
  | 'too_many_images'
  | 'option_invalid'
  | 'body_timeout'
  | 'credential_missing'
  | 'credential_invalid'
  | 'scope_missing'
  | 'host_forbidden'
  | 'rate_limited'
  | 'upload_tokens_not_configured'
  | 'client_closed'
  // an image that the service fetches
  | 'url_invalid'
  | 'url_forbidden'
  | 'url_unreachable'
  | 'url_too_large'
  | 'r2_not_configured'
  | 'r2_key_unknown'
  | 'tensor_invalid'
  | 'webhook_source_unknown'
  | 'webhook_signature_invalid'
  | 'webhook_event_unusable'
  | 'webhook_endpoint_unknown'
  | 'batch_not_configured'
  | 'batch_unknown'
  | 'classifier_not_configured'
  | 'classifier_unknown'
  | 'classifier_version_unknown'
  | 'classifier_not_trainable'
  | 'classifier_quota_exceeded'
  | 'example_unknown'
  | 'storage_unavailable'
  | 'batch_tier_unavailable'
  | 'batch_retries_exhausted'
  | 'chunk_invalid'
  | 'tier_unauthorized'
  | 'tier_busy'
  | 'idempotency_key_invalid'
  | 'idempotency_key_in_use'
  | 'idempotency_key_reused'
  // the image
  | 'image_not_found'
  | 'image_format_unknown'
  | 'image_format_unsupported'
  | 'image_malformed'
  | 'image_truncated'
  | 'image_too_many_pixels'
  | 'image_too_complex'
  // the model
  | 'model_unknown'
  | 'model_unavailable'
  | 'model_corrupt'
  | 'model_manifest_invalid'
  | 'model_out_of_memory'
  | 'model_requires_batch_tier'
  | 'inference_failed'
  | 'embedding_unsupported'
  // the service
  | 'overloaded'
  | 'access_not_configured'
  | 'configuration_invalid'
  | 'page_unavailable'
  | 'internal';

export interface CodedErrorOptions extends ErrorOptions {
  /** Seconds after which the same request may succeed; absent when a retry cannot help. */
  readonly retryAfterSeconds?: number;
}

/**
 * An error with a stable `code` and a `message` that may be shown to the sender of the request. What must stay
 * private (paths, stacks, upstream answers) belongs in `cause`.
 */
export class CodedError extends Error {
  override readonly name = 'CodedError';
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
