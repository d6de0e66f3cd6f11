import type { ImageInput } from './find-inputs.ts';
import { InputError, readInput } from './read-input.ts';
import type { Prediction } from './to-table.ts';

/** What the service said of one image, or why it was not asked. */
export type ServiceAnswer =
  | { readonly ok: true; readonly body: { readonly predictions: readonly Prediction[] } }
  | { readonly ok: false; readonly body: { readonly code: string; readonly detail: string } };

const timeoutMs = 60_000;

/** Never throws. What is wrong with one image or its answer is part of the result. */
export async function askService(endpoint: string, input: ImageInput): Promise<ServiceAnswer> {
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
    return await readAnswer(response);
  } catch (error) {
    if (error instanceof InputError) return { ok: false, body: { code: error.code, detail: error.message } };
    // fetch itself says only that it failed.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : error;
    const detail = `No answer from ${endpoint}: ${cause}`;
    return { ok: false, body: { code: 'server_unreachable', detail } };
  }
}

/** A server that is not this service answers as it likes. */
async function readAnswer(response: Response): Promise<ServiceAnswer> {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    if (response.ok && Array.isArray(body.predictions)) return { ok: true, body };
    if (!response.ok && typeof body.code === 'string') return { ok: false, body };
  } catch {
    // Told below.
  }
  const detail = `The server answered ${response.status}, with something else than labels: is it resnet-edge?`;
  return { ok: false, body: { code: 'answer_unusable', detail } };
}
