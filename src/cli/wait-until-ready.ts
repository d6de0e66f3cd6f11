import { z } from 'zod';

/** The service is not ready, and waiting longer does not help or has taken too long. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
  /** The service's own code, where it answered with one. */
  readonly code: string | undefined;

  constructor(url: string, { reason, code }: Readiness) {
    super(`${url} is not ready: ${reason}`);
    this.code = code;
  }
}

interface Readiness {
  readonly ready: boolean;
  readonly reason: string;
  readonly code?: string;
}

const problemSchema = z.object({ code: z.string(), detail: z.string() });

/** What does not mend itself. */
const finalCodes = new Set([
  'configuration_invalid',
  'access_not_configured',
  'model_unknown',
  'model_corrupt',
  'model_manifest_invalid',
]);

/**
 * Waits until a service answers that its default model is loaded.
 *
 * @throws {NotReadyError} with its last answer.
 */
export async function waitUntilReady(
  url: string,
  { withinMs, pollMs }: { readonly withinMs: number; readonly pollMs: number },
): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await askReadiness(url);
    if (answer.ready) return;
    if (finalCodes.has(`${answer.code}`) || Date.now() > deadline) throw new NotReadyError(url, answer);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function askReadiness(url: string): Promise<Readiness> {
  try {
    const answer = await fetch(`${url}/v1/health/ready`, { signal: AbortSignal.timeout(30_000) });
    const text = await answer.text();
    if (answer.ok) return { ready: true, reason: '' };
    const problem = problemSchema.safeParse(parseJson(text));
    if (!problem.success) return { ready: false, reason: `status ${answer.status}` };
    const { code, detail } = problem.data;
    return { ready: false, reason: `${detail} (${code})`, code };
  } catch (error) {
    // fetch itself says only that it failed.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : `${error}`;
    return { ready: false, reason: cause };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
