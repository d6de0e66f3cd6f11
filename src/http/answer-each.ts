import type { Context } from 'hono';
import { CodedError } from '../errors.ts';
import { yieldToOthers } from '../lib/yield-to-others.ts';
import { toProblem } from '../problem.ts';
import type { HonoEnv } from './context.ts';
import type { ImageInput } from './image-request/parse-image-request.ts';

/**
 * Answers one image after the other, and gives other requests a turn between two. A bad image gets a problem of its own
 * and does not affect the others. After the request's deadline no image is begun.
 *
 * @param answer gives the result of one image, as it stands on the wire.
 * @returns results in order, each with its index and the file's name.
 * @throws the error of `answer`, if the client has gone: nobody reads the other results.
 */
export async function answerEach(
  c: Context<HonoEnv>,
  images: readonly ImageInput[],
  answer: (bytes: Uint8Array, name: string | undefined) => Promise<object>,
): Promise<object[]> {
  const results: object[] = [];
  for (const [index, { name, bytes }] of images.entries()) {
    if (index > 0) await yieldToOthers();
    try {
      assertInTime(c);
      results.push({ index, name, ...(await answer(bytes, name)) });
    } catch (error) {
      if (c.get('isCancelled')()) throw error;
      const problem = toProblem(error);
      if (problem.status >= 500 && problem.code !== 'overloaded')
        c.get('options').log('error', { code: problem.code, request_id: c.get('requestId'), error });
      results.push({ index, name, problem });
    }
  }
  return results;
}

function assertInTime(c: Context<HonoEnv>): void {
  if (Date.now() < c.get('deadline')) return;
  throw new CodedError(
    'overloaded',
    'The deadline came before this image. Send fewer, or let it wait longer.',
    {
      retryAfterSeconds: 1,
    },
  );
}
