import { createBatchCalls } from './batches.ts';
import { type ClientOptions, createServiceCaller } from './call-service.ts';
import type { ClassifyAnswer, ClassifyFormAnswer, ModelCard, ModelSummary } from './wire.ts';

export type { BatchInput, BatchOptions } from './batches.ts';
export { type ClientOptions, ResnetEdgeError } from './call-service.ts';
export type {
  Batch,
  BatchResult,
  ClassifyAnswer,
  ClassifyFormAnswer,
  ImageInfo,
  ImageResult,
  ModelCard,
  ModelSummary,
  Prediction,
  Problem,
} from './wire.ts';

export interface ClassifyOptions {
  readonly topK?: number;
  readonly model?: string;
  readonly orientation?: 'apply' | 'ignore';
  readonly decode?: 'exact' | 'fast';
  /** Refuses a damaged file that would otherwise be shown with `image.warnings`. */
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
}

/** An image's bytes, or where it is. */
export type ImageSource =
  | Blob
  | ArrayBuffer
  | Uint8Array<ArrayBuffer>
  | { readonly url: string }
  | { readonly r2Key: string };

/**
 * ```ts
 * const edge = createClient({ baseUrl: 'http://127.0.0.1:8787' });
 * const { predictions } = await edge.classify(photo, { topK: 3 });
 * ```
 */
export function createClient(options: ClientOptions) {
  const caller = createServiceCaller(options);
  const { callJson } = caller;
  return {
    /** @throws {ResnetEdgeError} for whatever the service refuses; what `fetch` throws otherwise. */
    classify(image: ImageSource, choice: ClassifyOptions = {}): Promise<ClassifyAnswer> {
      if (isBytes(image)) {
        const path = `/v1/classify?${toQuery(choice)}`;
        const headers = { 'content-type': 'application/octet-stream' };
        return callJson(path, { method: 'POST', body: image, headers }, choice.signal);
      }
      const path = `/v1/classify/json?${toQuery(choice)}`;
      const body = JSON.stringify('url' in image ? { url: image.url } : { r2_key: image.r2Key });
      return callJson(
        path,
        { method: 'POST', body, headers: { 'content-type': 'application/json' } },
        choice.signal,
      );
    },
    /**
     * Up to 16 images in one request: a result for each, in order. One bad image does not spoil the others.
     *
     * @throws {ResnetEdgeError} if the whole request is refused.
     */
    classifyEach(
      images: readonly (Blob | ArrayBuffer | Uint8Array<ArrayBuffer>)[],
      choice: ClassifyOptions = {},
    ): Promise<ClassifyFormAnswer> {
      const form = new FormData();
      for (const image of images) {
        if (image instanceof File) form.append('image', image);
        else form.append('image', new Blob([image]), 'image');
      }
      return callJson(`/v1/classify/form?${toQuery(choice)}`, { method: 'POST', body: form }, choice.signal);
    },
    async listModels(): Promise<ModelSummary[]> {
      return (await callJson<{ models: ModelSummary[] }>('/v1/models')).models;
    },
    readModel: (name: string): Promise<ModelCard> => callJson(`/v1/models/${encodeURIComponent(name)}`),
    /** A token that a browser may hold instead of the key. */
    createUploadToken: (request: { expiresInSeconds?: number; origin?: string } = {}) =>
      callJson<{ token: string; expires_at: string }>('/v1/upload-tokens', {
        method: 'POST',
        body: JSON.stringify({ expires_in_seconds: request.expiresInSeconds, origin: request.origin }),
        headers: { 'content-type': 'application/json' },
      }),
    ...createBatchCalls(caller),
  };
}

export type Client = ReturnType<typeof createClient>;

function isBytes(image: ImageSource): image is Blob | ArrayBuffer | Uint8Array<ArrayBuffer> {
  return image instanceof Blob || image instanceof ArrayBuffer || ArrayBuffer.isView(image);
}

function toQuery({ topK, model, orientation, decode, strict }: ClassifyOptions): string {
  const query = new URLSearchParams();
  if (topK !== undefined) query.set('top_k', String(topK));
  if (model !== undefined) query.set('model', model);
  if (orientation !== undefined) query.set('orientation', orientation);
  if (decode !== undefined) query.set('decode', decode);
  if (strict !== undefined) query.set('strict', String(strict));
  return query.toString();
}
