import { toWords } from './problem-words.ts';

/** What went wrong, in words for a person: what it is, and what to do about it. */
export class ServiceProblem extends Error {
  override readonly name = 'ServiceProblem';
  /** HTTP status; 0 if no answer came. */
  readonly status: number;
  /** The API's stable code; `unreachable` and `offline` are the page's own. */
  readonly code: string;
  readonly advice: string;
  /** Undefined where the service says nothing, or where waiting does not help. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: string,
    { detail, retryAfterSeconds }: { readonly detail?: string; readonly retryAfterSeconds?: number } = {},
  ) {
    const words = toWords(code);
    super(words?.what ?? detail ?? `The service answered with status ${status}.`);
    this.status = status;
    this.code = code;
    // Which scope is missing, the service says best.
    this.advice = [code === 'scope_missing' ? detail : undefined, words?.advice].filter(Boolean).join(' ');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Any failure as a problem that can be shown. */
export function toProblem(cause: unknown): ServiceProblem {
  if (cause instanceof ServiceProblem) return cause;
  return new ServiceProblem(0, 'page_failed');
}

/** Whether the same request may succeed later. A file that is no picture stays none. */
export function isWorthAnotherTry({ status }: ServiceProblem): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500 || (status >= 200 && status < 300);
}

/** Codes of a request that lacks a credential, or has a wrong one. */
export function isAboutCredential({ status }: ServiceProblem): boolean {
  return status === 401;
}
