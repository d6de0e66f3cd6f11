import type { Context } from 'hono';
import { toProblemResponse } from '../lib/problem-response.ts';
import { type Problem, problemKinds, toProblem } from '../problem.ts';
import type { HonoEnv } from './context.ts';
import { toStorageTrouble } from './storage-trouble.ts';

/** Headers that middleware set before the handler failed and that still hold. */
const keptHeaders = ['ratelimit', 'ratelimit-policy'];

/**
 * Turns any error into a problem, and logs it if it is a fault of the service.
 *
 * @param extend gives members that a client of another API expects beside the standard ones.
 */
export function answerError(
  thrown: unknown,
  c: Context<HonoEnv>,
  extend: (problem: Problem) => object = () => ({}),
): Response {
  const error = toStorageTrouble(thrown) ?? thrown;
  const requestId = c.get('requestId');
  const problem = toProblem(error, requestId);
  c.get('record').outcome = problem.code;
  if (problemKinds[problem.code].status >= 500)
    c.get('options').log('error', { code: problem.code, request_id: requestId, error: thrown });
  const response = toProblemResponse(error, requestId, extend(problem));
  for (const name of keptHeaders) {
    const value = c.res.headers.get(name);
    if (value !== null) response.headers.set(name, value);
  }
  return response;
}
