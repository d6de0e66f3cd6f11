import { createBatchCalls } from './batches.ts';
import { type ClientOptions, createServiceCaller } from './call-service.ts';
import type {
  ClassifyAnswer,
  ClassifyFormAnswer,
  EmbedAnswer,
  EmbedFormAnswer,
  ModelCard,
  ModelSummary,
} from './wire.ts';

export type { BatchInput, BatchOptions } from './batches.ts';
export { type ClientOptions, ResnetEdgeError } from './call-service.ts';
export type {
  Batch,
  BatchResult,
  ClassifyAnswer,
  ClassifyFormAnswer,
  EmbedAnswer,
  EmbedFormAnswer,
  EmbedResult,
  ImageInfo,
  ImageResult,
  ModelCard,
  ModelSummary,
  Prediction,
  Problem,
} from './wire.ts';

/** What may be chosen for any image. */
export interface ImageOptions {
  readonly model?: string;
  readonly orientation?: 'apply' | 'ignore';
  readonly decode?: 'exact' | 'fast';
  /** Refuses a damaged file that would otherwise be shown with `image.warnings`. */
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
}

export interface ClassifyOptions extends ImageOptions {
  readonly topK?: number;
}

export interface EmbedOptions extends ImageOptions {
  /** The last block's features (default), or those of all blocks side by side. */
  readonly layers?: 'last' | 'all';
  /** Default true: the vector has length 1. */
  readonly normalize?: boolean;
}

export type ImageBytes = Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** An image's bytes, or where it is. */
export type ImageSource = ImageBytes | { readonly url: string } | { readonly r2Key: string };

/**
 * ```ts
 * const edge = createClient({ baseUrl: 'http://127.0.0.1:8787' });
 * const { predictions } = await edge.classify(photo, { topK: 3 });
 * ```
 */
export function createClient(options: ClientOptions) {
  const caller = createServiceCaller(options);
  const { callJson } = caller;

  function ask<T>(
    path: string,
    image: ImageSource,
    query: URLSearchParams,
    signal?: AbortSignal,
  ): Promise<T> {
    if (isBytes(image)) {
      const headers = { 'content-type': 'application/octet-stream' };
      return callJson(`${path}?${query}`, { method: 'POST', body: image, headers }, signal);
    }
    const body = JSON.stringify('url' in image ? { url: image.url } : { r2_key: image.r2Key });
    const headers = { 'content-type': 'application/json' };
    return callJson(`${path}/json?${query}`, { method: 'POST', body, headers }, signal);
  }

  function askEach<T>(
    path: string,
    images: readonly ImageBytes[],
    query: URLSearchParams,
    signal?: AbortSignal,
  ): Promise<T> {
    const form = new FormData();
    for (const image of images) {
      if (image instanceof File) form.append('image', image);
      else form.append('image', new Blob([image]), 'image');
    }
    return callJson(`${path}?${query}`, { method: 'POST', body: form }, signal);
  }

  return {
    /** @throws {ResnetEdgeError} for whatever the service refuses; what `fetch` throws otherwise. */
    classify: (image: ImageSource, choice: ClassifyOptions = {}): Promise<ClassifyAnswer> =>
      ask('/v1/classify', image, toClassifyQuery(choice), choice.signal),
    /**
     * Up to 16 images in one request: a result for each, in order. One bad image does not spoil the others.
     *
     * @throws {ResnetEdgeError} if the whole request is refused.
     */
    classifyEach: (
      images: readonly ImageBytes[],
      choice: ClassifyOptions = {},
    ): Promise<ClassifyFormAnswer> =>
      askEach('/v1/classify/form', images, toClassifyQuery(choice), choice.signal),
    /**
     * An image as a vector: near ones show alike things.
     *
     * @throws {ResnetEdgeError} for whatever the service refuses; what `fetch` throws otherwise.
     */
    embed: (image: ImageSource, choice: EmbedOptions = {}): Promise<EmbedAnswer> =>
      ask('/v1/embeddings', image, toEmbedQuery(choice), choice.signal),
    /**
     * Up to 16 images in one request: a vector for each, in order, or why it has none.
     *
     * @throws {ResnetEdgeError} if the whole request is refused.
     */
    embedEach: (images: readonly ImageBytes[], choice: EmbedOptions = {}): Promise<EmbedFormAnswer> =>
      askEach('/v1/embeddings/form', images, toEmbedQuery(choice), choice.signal),
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

function isBytes(image: ImageSource): image is ImageBytes {
  return image instanceof Blob || image instanceof ArrayBuffer || ArrayBuffer.isView(image);
}

const toClassifyQuery = (choice: ClassifyOptions) => toQuery(choice, { top_k: choice.topK });
const toEmbedQuery = (choice: EmbedOptions) =>
  toQuery(choice, { layers: choice.layers, normalize: choice.normalize });

function toQuery(
  { model, orientation, decode, strict }: ImageOptions,
  own: Record<string, string | number | boolean | undefined>,
): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ model, orientation, decode, strict, ...own })) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query;
}
