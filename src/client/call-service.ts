import type { Problem } from './wire.ts';

export interface ClientOptions {
  /** Origin of the service, for example `https://resnet-edge.example.workers.dev`. */
  readonly baseUrl: string;
  /** An API key, or in a browser an upload token. */
  readonly apiKey?: string;
  /** Per request; default 30 s. A stream is not bounded by it once it has begun. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof globalThis.fetch;
}

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

/** Sends a request of the client. */
export interface ServiceCaller {
  /** @throws {ResnetEdgeError} for whatever the service refuses; what `fetch` throws otherwise. */
  callJson<T>(path: string, init?: RequestInit, signal?: AbortSignal): Promise<T>;
  /** As `callJson`; the answer's body is a stream of text, and what is not read is cancelled. */
  callText(path: string, signal?: AbortSignal): AsyncGenerator<string, void, undefined>;
}

export function createServiceCaller(options: ClientOptions): ServiceCaller {
  const { baseUrl, apiKey, timeoutMs = 30_000, fetch = globalThis.fetch } = options;

  async function call(path: string, init: RequestInit, signals: readonly AbortSignal[]): Promise<Response> {
    const headers = new Headers(init.headers);
    if (apiKey !== undefined) headers.set('authorization', `Bearer ${apiKey}`);
    const response = await fetch(new URL(path, baseUrl), {
      ...init,
      headers,
      signal: AbortSignal.any([...signals]),
    });
    if (!response.ok) throw await toError(response);
    return response;
  }

  return {
    async callJson<T>(path: string, init: RequestInit = {}, signal?: AbortSignal): Promise<T> {
      const signals = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
      // What the service answers is declared in wire.ts, and tested against the service's schemas.
      return (await (await call(path, init, signals)).json()) as T;
    },
    async *callText(path: string, signal?: AbortSignal) {
      const start = new AbortController();
      const timer = setTimeout(() => start.abort(new DOMException('Timed out', 'TimeoutError')), timeoutMs);
      const response = await call(path, {}, [start.signal, ...(signal ? [signal] : [])]).finally(() =>
        clearTimeout(timer),
      );
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      if (!reader) return;
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          yield value;
        }
      } finally {
        await reader.cancel().catch(() => undefined);
      }
    },
  };
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
