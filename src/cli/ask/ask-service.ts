import type { ImageInput } from './find-inputs.ts';
import { InputError, readInput } from './read-input.ts';

/** The service's answer for one image, or why the service was not asked. */
export type ServiceAnswer<T extends object> =
  | { readonly ok: true; readonly body: T }
  | { readonly ok: false; readonly body: { readonly code: string; readonly detail: string } };

const timeoutMs = 60_000;

/** The question for each image. */
export interface Question<T extends object> {
  /** With its query. */
  readonly path: string;
  /** What an answer holds, for a message. */
  readonly subject: string;
  readonly isAnswer: (body: object) => body is T;
}

/** Never throws. An error of the image or of its answer is part of the result. */
export async function askService<T extends object>(
  origin: string,
  question: Question<T>,
  input: ImageInput,
): Promise<ServiceAnswer<T>> {
  const endpoint = `${origin}${question.path}`;
  try {
    const body = await readInput(input);
    const apiKey = process.env['RESNET_EDGE_API_KEY'];
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    return await readAnswer(question, response);
  } catch (error) {
    if (error instanceof InputError) return { ok: false, body: { code: error.code, detail: error.message } };
    // fetch itself says only that it failed.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : error;
    const detail = `No answer from ${endpoint}: ${cause}`;
    return { ok: false, body: { code: 'server_unreachable', detail } };
  }
}

/** Does not trust the answer, because the server may not be this service. */
async function readAnswer<T extends object>(
  { isAnswer, subject }: Question<T>,
  response: Response,
): Promise<ServiceAnswer<T>> {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    if (response.ok && isAnswer(body)) return { ok: true, body };
    if (!response.ok && typeof body.code === 'string') return { ok: false, body };
  } catch {
    // Told below.
  }
  const detail = `The server answered ${response.status}, with something else than ${subject}: is it resnet-edge?`;
  return { ok: false, body: { code: 'answer_unusable', detail } };
}
