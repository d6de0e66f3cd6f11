import { z } from 'zod';
import type { ItemResult } from '../../classify/classification.ts';
import { parseItemResult } from '../../classify/parse-item-result.ts';
import { parseRetryAfter } from '../../lib/retry-schedule.ts';
import { splitLines } from '../../lib/split-lines.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import { tierConnectMs, tierSilenceMs } from '../../limits.ts';
import { chunkMediaType, writeChunk } from '../../protocol/tier/chunk-format.ts';
import { type ChunkItem, type ChunkRunner, TierTrouble } from './chunk-runner.ts';

export interface NodeTierOptions {
  /** Origin of the tier, e.g. `https://tier.example.com`. */
  readonly url: string;
  readonly secret: string;
  /**
   * How long to wait until the tier answers, and how long it may then be silent. The first also limits the cost of a tier
   * that refuses an upload and stops reading: workerd sends the next request on the same connection, where the tier does
   * not see it. Giving that request up closes the connection.
   */
  readonly connectMs?: number;
  readonly silenceMs?: number;
  /** Used instead of the global `fetch`: the one of a client certificate, for mutual TLS. */
  readonly fetch?: typeof fetch;
  /** Aborts the request that is under way. */
  readonly signal?: AbortSignal;
}

const lineSchema = z.union([
  z.strictObject({ end: z.literal(true) }),
  z.looseObject({ index: z.int().nonnegative() }),
]);
/** A line of 1,000 predictions is about 100 kB. */
const maxLineCharacters = 1024 * 1024;
/** Codes of an item's problem that mean that the tier is at fault and not the image. */
const tierProblems: ReadonlySet<string> = new Set(['internal', 'inference_failed', 'batch_tier_unavailable']);

/** Sends a chunk's images to the Node tier and reads its results as they come. */
export function createNodeTierRunner(options: NodeTierOptions): ChunkRunner {
  const { url, secret, connectMs = tierConnectMs, silenceMs = tierSilenceMs } = options;
  const send = options.fetch ?? fetch;
  return {
    tier: 'node',
    async *run({ model, modelVersion, topK, orientation, scoring, strict }, count, items) {
      const abort = new AbortController();
      options.signal?.addEventListener('abort', () => abort.abort());
      const head = {
        model,
        model_version: modelVersion,
        top_k: topK,
        items: count,
        orientation,
        scoring,
        strict,
      };
      const body = toBody(head, items, abort);
      try {
        const response = await within(connectMs, abort, () =>
          send(new URL('/v1/chunks', url), {
            method: 'POST',
            headers: { 'content-type': chunkMediaType, authorization: `Bearer ${secret}` },
            body: body.stream,
            signal: abort.signal,
            redirect: 'manual',
            // Node needs this option for a stream; workerd does not.
            ...({ duplex: 'half' } as object),
          }),
        );
        if (body.failure) throw body.failure;
        await assertAccepted(response);
        yield* readResults(response, silenceMs, abort);
      } catch (error) {
        if (body.failure) throw body.failure;
        throw error;
      } finally {
        abort.abort();
      }
    },
  };
}

/** A stream that remembers its error, because `fetch` only says that it failed. */
function toBody(
  head: Parameters<typeof writeChunk>[0],
  items: AsyncIterable<ChunkItem>,
  abort: AbortController,
): { readonly stream: ReadableStream<Uint8Array>; failure?: unknown } {
  const chunks = writeChunk(head, items);
  const body: { stream: ReadableStream<Uint8Array>; failure?: unknown } = {
    stream: new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          body.failure = error;
          abort.abort();
          controller.error(error);
        }
      },
      async cancel() {
        await chunks.return(undefined);
      },
    }),
  };
  return body;
}

async function assertAccepted(response: Response): Promise<void> {
  if (response.status === 200) return;
  const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'));
  // Not awaited, because a tier that answered before it read everything may never end the stream.
  response.body?.cancel().catch(() => undefined);
  const code =
    response.status === 401 || response.status === 403
      ? 'unauthorized'
      : response.status === 429 || response.status === 503
        ? 'busy'
        : `status_${response.status}`;
  throw new TierTrouble(code, `The tier answered ${response.status}.`, {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

async function* readResults(response: Response, silenceMs: number, abort: AbortController) {
  const reader = response.body!.getReader();
  const chunks = (async function* () {
    for (;;) {
      const { done, value } = await within(silenceMs, abort, () => reader.read(), 'died');
      if (done) throw new TierTrouble('died', 'The answer ended early.');
      yield value;
    }
  })();
  for await (const line of splitLines(chunks, maxLineCharacters, () => garbage('an endless line'))) {
    const parsed = parseLine(line);
    if (parsed === 'end') return;
    if (parsed !== 'trouble') yield parsed;
  }
}

function parseLine(line: string): 'end' | 'trouble' | { index: number; result: ItemResult } {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw garbage('a line that is not JSON', cause);
  }
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) throw garbage('a line of another kind');
  if ('end' in parsed.data) return 'end';
  const { index, ...rest } = parsed.data as { index: number };
  const result = parseItemResult(rest);
  if (!result) throw garbage('an item of another kind');
  if ('problem' in result && tierProblems.has(result.problem.code)) return 'trouble';
  return { index, result };
}

function garbage(what: string, cause?: unknown): TierTrouble {
  return new TierTrouble('garbage', `The tier answered with ${what}.`, { cause });
}

/**
 * Aborts work that takes longer than `ms`, and does not wait until it has stopped: a fetch whose upload is stuck may never
 * stop, and would hold up the queue.
 *
 * @param code of a failure that is not a timeout.
 */
async function within<T>(
  ms: number,
  abort: AbortController,
  work: () => Promise<T>,
  code = 'unreachable',
): Promise<T> {
  const late = new TierTrouble('timeout', `The tier was silent for ${ms} ms.`);
  try {
    return await withTimeout(work(), ms, () => late);
  } catch (cause) {
    abort.abort();
    if (cause === late) throw late;
    throw new TierTrouble(code, 'The connection to the tier failed.', { cause });
  }
}
