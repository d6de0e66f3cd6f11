import { readCredential } from './credential.ts';
import { isRecord, type Reader, UnexpectedAnswer } from './readers.ts';
import { ServiceProblem } from './service-problem.ts';

/** Why a request waits before it is sent again. */
export type Hold = { readonly reason: 'busy'; readonly seconds: number } | { readonly reason: 'offline' };

export interface CallOptions {
  readonly method?: string;
  readonly body?: BodyInit;
  readonly contentType?: string;
  /** Sends `Cache-Control: no-cache`: the service computes, although it may remember an answer. */
  readonly anew?: boolean;
  /** Told each second while the call waits. Without it a busy service is an error at once. */
  readonly onHold?: (hold: Hold) => void;
  readonly signal?: AbortSignal;
}

const timeoutMs = 60_000;
const maxAttempts = 8;

/** Waiting helps with these alone; a service without keys answers 503 as well. */
const passing: ReadonlySet<string> = new Set([
  'overloaded',
  'rate_limited',
  'model_unavailable',
  'tier_busy',
  'storage_unavailable',
]);

/**
 * Sends a request to the service that the page comes from. A busy service is asked again after its `Retry-After`, and an
 * absent network when it is back, if the caller gives `onHold`.
 *
 * @throws {ServiceProblem}
 * @throws {DOMException} AbortError when `signal` says so.
 */
export async function callService(path: string, options: CallOptions = {}): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(path, options);
    } catch (cause) {
      if (!(cause instanceof ServiceProblem) || !options.onHold || attempt === maxAttempts) throw cause;
      if (cause.code === 'offline') await waitForNetwork(options);
      else if (passing.has(cause.code)) await countDown(cause.retryAfterSeconds ?? 2 ** attempt, options);
      else throw cause;
    }
  }
}

/** @throws {ServiceProblem} also if the answer is not what the reader wants. */
export async function readAnswer<T>(response: Response, reader: Reader<T>): Promise<T> {
  try {
    return reader(await response.json());
  } catch (cause) {
    if (cause instanceof UnexpectedAnswer || cause instanceof SyntaxError) {
      throw new ServiceProblem(response.status, 'answer_unexpected');
    }
    throw cause;
  }
}

async function send(path: string, { method = 'GET', body, contentType, anew, signal }: CallOptions) {
  const credential = readCredential();
  const headers = new Headers();
  if (credential) headers.set('authorization', `Bearer ${credential}`);
  if (contentType) headers.set('content-type', contentType);
  if (anew) headers.set('cache-control', 'no-cache');
  const late = AbortSignal.timeout(timeoutMs);
  const init: RequestInit = { method, headers, signal: signal ? AbortSignal.any([signal, late]) : late };
  if (body !== undefined) init.body = body;
  const response = await fetch(path, init).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw new ServiceProblem(0, navigator.onLine ? 'unreachable' : 'offline');
  });
  if (!response.ok) throw await toServiceProblem(response);
  return response;
}

async function toServiceProblem(response: Response): Promise<ServiceProblem> {
  const problem: unknown = await response.json().catch(() => undefined);
  const code = isRecord(problem) && typeof problem['code'] === 'string' ? problem['code'] : 'unknown';
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ServiceProblem(response.status, code, {
    ...(isRecord(problem) && typeof problem['detail'] === 'string' ? { detail: problem['detail'] } : {}),
    ...(Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {}),
  });
}

async function countDown(seconds: number, { onHold, signal }: CallOptions): Promise<void> {
  for (let left = Math.max(1, Math.ceil(seconds)); left > 0; left--) {
    onHold?.({ reason: 'busy', seconds: left });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    signal?.throwIfAborted();
  }
}

async function waitForNetwork({ onHold, signal }: CallOptions): Promise<void> {
  onHold?.({ reason: 'offline' });
  if (navigator.onLine) return;
  await new Promise<void>((resolve, reject) => {
    addEventListener('online', () => resolve(), { once: true });
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
