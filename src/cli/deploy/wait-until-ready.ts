import { z } from 'zod';

const problemSchema = z.object({ code: z.string(), detail: z.string() });
const pollMs = 2_000;

/** What does not mend itself: the deployment is configured wrongly. */
const finalCodes = new Set([
  'configuration_invalid',
  'access_not_configured',
  'model_unknown',
  'model_corrupt',
]);

/**
 * Waits until a new deployment answers that its default model is loaded. A new address takes a while to be known
 * everywhere.
 *
 * @throws {Error} with the deployment's last answer.
 */
export async function waitUntilReady(url: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const { ready, reason, isFinal } = await askReadiness(url);
    if (ready) return;
    if (isFinal || Date.now() > deadline) throw new Error(`${url} is not ready: ${reason}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function askReadiness(url: string) {
  try {
    const answer = await fetch(`${url}/v1/health/ready`, { signal: AbortSignal.timeout(30_000) });
    const text = await answer.text();
    if (answer.ok) return { ready: true, reason: '', isFinal: true };
    const problem = problemSchema.safeParse(parseJson(text));
    if (!problem.success) return { ready: false, reason: `status ${answer.status}`, isFinal: false };
    const { code, detail } = problem.data;
    return { ready: false, reason: `${detail} (${code})`, isFinal: finalCodes.has(code) };
  } catch (error) {
    // fetch itself says only that it failed.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : `${error}`;
    return { ready: false, reason: cause, isFinal: false };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
