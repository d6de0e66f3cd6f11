import type { Context } from 'hono';
import type { RequestIdVariables } from 'hono/request-id';
import type { Classifier } from '../classify/classifier.ts';
import type { BatchServices } from '../jobs/batch/batch-services.ts';
import type { ClassifierServices } from '../jobs/classifiers/classifier-services.ts';
import type { ObjectLabels } from '../jobs/objects/object-labels.ts';
import type { UrlPolicy } from '../lib/net/url-policy.ts';
import type { Metrics } from '../lib/observe/metrics.ts';
import type { TraceContext } from '../lib/observe/trace-context.ts';
import type { Log } from '../lib/observe/write-log.ts';
import type { CatalogReader } from '../model/catalog-reader.ts';
import type { KeepAlive, SessionCache } from '../model/session-cache.ts';
import type { CreateSha256 } from '../model/verified-chunks.ts';
import type { AccessPolicy } from './access/access-policy.ts';
import type { Principal } from './access/api-keys.ts';
import type { BodyBudget, HeldBody } from './body-budget.ts';
import type { ServerTiming } from './server-timing.ts';

/** Everything that functions/ gives to the HTTP layer: `createApp(options)`. */
export interface AppOptions {
  readonly catalog: CatalogReader;
  readonly sessions: SessionCache;
  readonly classifier: Classifier;
  /** Absent in a deployment without a database. */
  readonly batches?: BatchServices | undefined;
  /** Absent in a deployment that teaches nothing. */
  readonly classifiers?: ClassifierServices | undefined;
  /** Absent where no bucket reports its objects. */
  readonly objects?: ObjectLabels | undefined;
  readonly access: AccessPolicy;
  /** Hashes bodies while they are read. */
  readonly createSha256: CreateSha256;
  /** Bytes of request bodies held at once, see limits.ts. */
  readonly bodies: BodyBudget;
  readonly metrics: Metrics;
  readonly serverTiming: boolean;
  /** Whether a log line has the request's path and the first label of each image. False by default. */
  readonly logAnswers?: boolean;
  /** Whether callers share remembered answers. False by default. */
  readonly sharesAnswers?: boolean;
  /** Called once for each request that counts; absent if nothing is limited. */
  readonly rateLimit?: RateLimitOptions;
  /** Whether the service answers only to this machine. False by default. */
  readonly loopbackOnly?: boolean;
  /** Origins whose pages may call the API: see `crossOrigin`. None by default. */
  readonly corsOrigins?: readonly string[];
  readonly urls: UrlPolicy;
  /** Bytes of an object in the configured bucket, undefined if there is none of that key. */
  readonly readR2Image?: (
    key: string,
    maxBytes: number,
    hold: (bytes: number) => Promise<void>,
  ) => Promise<Uint8Array | undefined>;
  /** Names that other APIs use for a model, such as `@cf/microsoft/resnet-50`, and the model that answers. */
  readonly modelAliases?: ReadonlyMap<string, string>;
  /** Static files: the page at / and the API reference. */
  readonly assets?: { fetch(request: Request): Promise<Response> };
  readonly log: Log;
  /** One data point for each request, for long-term analytics. */
  readonly onRequest?: (record: RequestRecord) => void;
}

export interface RateLimitOptions {
  /** @returns whether this caller may go on. */
  readonly take: (key: string) => Promise<boolean>;
  /** What the limiter enforces, for the RateLimit-Policy header. */
  readonly requests: number;
  readonly periodSeconds: number;
}

/** The log line of a request. Its fields are filled in as they become known. */
export interface RequestRecord {
  requestId: string;
  traceId: string;
  method: string;
  /** The path as declared, with its parameters, not as sent. */
  route: string;
  status: number;
  /** `ok`, or the problem's code. */
  outcome: string;
  durationMs: number;
  principal?: string;
  model?: string;
  images?: number;
  imageBytes?: number;
  imagePixels?: number;
  /** The first label of each image. Logged only if `logAnswers` is set. */
  labels?: string[];
  answerOrigin?: string;
  tier?: string;
}

export interface HonoEnv {
  Variables: RequestIdVariables & {
    options: AppOptions;
    keepAlive: KeepAlive;
    principal: Principal;
    trace: TraceContext;
    timing: ServerTiming;
    record: RequestRecord;
    /** Milliseconds since 1970. */
    deadline: number;
    isCancelled: () => boolean;
    /**
     * Opens a body in the isolate's budget for this request, and releases the one that it had. The body is released when
     * the request ends. It waits until the request's deadline, unless `until` is given.
     */
    openBody: (max: number, expected?: number, until?: number) => HeldBody;
  };
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
