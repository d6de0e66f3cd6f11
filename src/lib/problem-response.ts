import { CodedError } from '../errors.ts';
import { toProblem } from '../problem.ts';

/** @param extension members beside the standard ones, which clients of another API read. */
export function toProblemResponse(error: unknown, requestId: string, extension: object = {}): Response {
  const problem = { ...toProblem(error, requestId), ...extension };
  const headers = new Headers({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
  });
  // RFC 9110 asks for a challenge with every 401.
  if (problem.status === 401) headers.set('www-authenticate', 'Bearer');
  if (error instanceof CodedError && error.retryAfterSeconds !== undefined) {
    headers.set('retry-after', String(error.retryAfterSeconds));
  }
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
