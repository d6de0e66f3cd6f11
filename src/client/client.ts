import type { ClassifyAnswer, ModelCard, ModelSummary, Problem } from './wire.ts';

export type { ClassifyAnswer, ImageInfo, ModelCard, ModelSummary, Prediction, Problem } from './wire.ts';

export interface ClientOptions {
  /** Origin of the service, for example `https://resnet-edge.example.workers.dev`. */
  readonly baseUrl: string;
  /** An API key, or in a browser an upload token. */
  readonly apiKey?: string;
  /** Per request; default 30 s. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof globalThis.fetch;
}

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

/** The service answered with a problem (RFC 9457); `code` is stable. */
export class ResnetEdgeError extends Error {
  override readonly name = 'ResnetEdgeError';
  readonly problem: Problem;
  /** From Retry-After, if the service sent one. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Problem, retryAfterSeconds: number | undefined) {
    super(`${problem.detail} (${problem.code})`);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get code(): Problem['code'] {
    return this.problem.code;
  }
}

/**
 * ```ts
 * const edge = createClient({ baseUrl: 'http://127.0.0.1:8787' });
 * const { predictions } = await edge.classify(photo, { topK: 3 });
 * ```
 */
export function createClient(options: ClientOptions) {
  const { baseUrl, apiKey, timeoutMs = 30_000, fetch = globalThis.fetch } = options;

  async function call<T>(path: string, init: RequestInit = {}, signal?: AbortSignal): Promise<T> {
    const headers = new Headers(init.headers);
    if (apiKey !== undefined) headers.set('authorization', `Bearer ${apiKey}`);
    const timeout = AbortSignal.timeout(timeoutMs);
    const response = await fetch(new URL(path, baseUrl), {
      ...init,
      headers,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    if (!response.ok) throw await toError(response);
    return (await response.json()) as T;
  }

  return {
    /** @throws {ResnetEdgeError} for whatever the service refuses; what `fetch` throws otherwise. */
    classify(image: ImageSource, choice: ClassifyOptions = {}): Promise<ClassifyAnswer> {
      const path = `/v1/classify?${toQuery(choice)}`;
      if (isBytes(image)) {
        const headers = { 'content-type': 'application/octet-stream' };
        return call(path, { method: 'POST', body: image, headers }, choice.signal);
      }
      const body = JSON.stringify('url' in image ? { url: image.url } : { r2_key: image.r2Key });
      return call(
        path,
        { method: 'POST', body, headers: { 'content-type': 'application/json' } },
        choice.signal,
      );
    },
    async listModels(): Promise<ModelSummary[]> {
      return (await call<{ models: ModelSummary[] }>('/v1/models')).models;
    },
    readModel: (name: string): Promise<ModelCard> => call(`/v1/models/${encodeURIComponent(name)}`),
    /** A token that a browser may hold instead of the key. */
    createUploadToken: (request: { expiresInSeconds?: number; origin?: string } = {}) =>
      call<{ token: string; expires_at: string }>('/v1/upload-tokens', {
        method: 'POST',
        body: JSON.stringify({ expires_in_seconds: request.expiresInSeconds, origin: request.origin }),
        headers: { 'content-type': 'application/json' },
      }),
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

async function toError(response: Response): Promise<Error> {
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('application/problem+json'))
    return new Error(`The service answered with status ${response.status} and no problem.`);
  const retryAfter = response.headers.get('retry-after');
  return new ResnetEdgeError(
    (await response.json()) as Problem,
    retryAfter === null ? undefined : Number(retryAfter),
  );
}
