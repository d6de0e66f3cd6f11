import { createHash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { CodedError } from '../../errors.ts';
import { drain } from '../../lib/net/drain.ts';
import { toProblemResponse } from '../../lib/problem-response.ts';
import { toProblem } from '../../problem.ts';
import { chunkMediaType } from '../../protocol/tier/chunk-format.ts';
import { ChunkReader } from '../../protocol/tier/chunk-reader.ts';
import { answerChunk } from './chunk-answer.ts';
import { openInferenceRoutes } from './open-inference-routes.ts';
import type { TierServices } from './tier-services.ts';

/** HTTP of the Node tier. Every route except health needs the bearer secret. */
export function createTierApp(services: TierServices): Hono {
  const { models, classifier, metrics, log } = services;
  const app = new Hono();
  const digests = services.secrets.map(sha256);

  app.get('/v1/health/live', (c) => c.json({ status: 'live' }));
  app.get('/v1/health/ready', async (c) => {
    if (classifier.draining)
      throw new CodedError('tier_busy', 'The tier is shutting down.', { retryAfterSeconds: 5 });
    await models.get(undefined);
    const loaded = await models.loaded();
    return c.json({
      status: 'ready',
      models: loaded.map(({ manifest, provider, maxBatch }) => ({
        name: manifest.name,
        version: manifest.version,
        execution_provider: provider,
        max_batch_size: maxBatch,
      })),
    });
  });

  app.use(async (c, next) => {
    assertSecret(c, digests);
    await next();
  });
  app.get('/metrics', async (c) =>
    c.body(await metrics.format(), 200, { 'content-type': metrics.contentType }),
  );
  app.post('/v1/chunks', async (c) => {
    if (c.req.header('content-type') !== chunkMediaType || !c.req.raw.body) {
      throw new CodedError('media_type_unsupported', `Send ${chunkMediaType}.`);
    }
    const reader = new ChunkReader(c.req.raw.body);
    const { model: name, model_version: version, top_k: topK, items, ...choice } = await reader.readHead();
    const admission = classifier.admit(items);
    try {
      const model = await models.get(name, version);
      const body = answerChunk(reader, items, { topK, ...choice }, model, classifier, admission);
      return c.body(body, 200, { 'content-type': 'application/x-ndjson' });
    } catch (error) {
      admission.release();
      throw error;
    }
  });
  app.route('/v2', openInferenceRoutes(services));

  app.notFound((c) =>
    toProblemResponse(new CodedError('route_not_found', 'There is nothing here.'), requestId(c)),
  );
  app.onError(async (error, c) => {
    // Otherwise a client that is still sending sees a reset connection instead of the answer.
    const { body, bodyUsed } = c.req.raw;
    if (body && !bodyUsed && !body.locked) await drain(body.getReader());
    if (toProblem(error).status >= 500) log('error', { event: 'request_failed', path: c.req.path, error });
    return toProblemResponse(error, requestId(c));
  });
  return app;
}

function requestId(c: Context): string {
  return c.req.header('x-request-id')?.slice(0, 64) ?? crypto.randomUUID();
}

/** Compares hashes, so that lengths are equal and the time taken tells nothing. */
function assertSecret(c: Context, digests: readonly Buffer[]): void {
  const [scheme, given = ''] = (c.req.header('authorization') ?? '').split(' ', 2);
  const digest = sha256(given);
  const matches = digests.map((expected) => timingSafeEqual(expected, digest));
  if (scheme?.toLowerCase() === 'bearer' && matches.includes(true)) return;
  throw new CodedError('tier_unauthorized', 'A bearer secret is needed.');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
