import type { Context } from 'hono';
import type { RequestIdVariables } from 'hono/request-id';
import type { BatchServices } from '../batch/batch-services.ts';
import type { ClassifyOptions, Transcode } from '../classify.ts';
import type { CatalogReader } from '../model/catalog-reader.ts';
import type { KeepAlive, SessionCache } from '../model/session-cache.ts';

/** What functions/ hands to the HTTP layer. */
export interface AppServices {
  readonly catalog: CatalogReader;
  readonly sessions: SessionCache;
  /** Absent in a deployment without a database. */
  readonly batches?: BatchServices;
  readonly serverTiming: boolean;
  /** What this deployment decodes with. */
  readonly image?: ClassifyOptions['image'];
  readonly transcode?: Transcode;
  /** One structured line. Never image content. */
  readonly log: (level: 'info' | 'error', fields: Readonly<Record<string, unknown>>) => void;
}

export interface HonoEnv {
  Variables: RequestIdVariables & { services: AppServices; keepAlive: KeepAlive };
}

/** `ctx.waitUntil` where there is a Worker's context; nothing in a test that calls `app.request`. */
export function keepAlive(c: Context): KeepAlive {
  return (work) => {
    try {
      c.executionCtx.waitUntil(work);
    } catch {
      // Hono throws when there is no execution context: then nothing cancels the work either.
    }
  };
}
