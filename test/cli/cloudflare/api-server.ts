import { createServer, type IncomingMessage } from 'node:http';

/** One request as a route sees it. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** What the route's pattern has in brackets. */
  readonly parts: readonly string[];
}

/** Bytes are an object's; everything else is the `result` of Cloudflare's envelope. */
export type ApiResult = unknown;

/** An error of the API: a status, and the code and message that its envelope has. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type Routes = Readonly<Record<string, (request: ApiRequest) => Promise<ApiResult> | ApiResult>>;

/** A stand-in of https://api.cloudflare.com/client/v4 on loopback. */
export interface ApiServer {
  /** For CLOUDFLARE_API_BASE_URL. */
  readonly url: string;
  /** What was asked, in order: `PUT /accounts/ID/...`. */
  readonly calls: string[];
  /** Lets the next request that fits fail. */
  failNext(call: RegExp, error: ApiError): void;
  close(): Promise<void>;
}

/**
 * @param routes from `METHOD /path/(part)` to what answers; a path that none fits is answered as Cloudflare does, and
 *   stands in `calls`.
 * @param token the only one that is let in.
 */
export async function startApiServer(routes: Routes, token: string): Promise<ApiServer> {
  const table = Object.entries(routes).map(([route, answer]) => [new RegExp(`^${route}$`), answer] as const);
  const calls: string[] = [];
  let failure: { call: RegExp; error: ApiError } | undefined;

  async function answer(request: IncomingMessage): Promise<ApiResult> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api.invalid');
    const path = pathname.replace(/^\/client\/v4/, '');
    const call = `${request.method} ${path}`;
    calls.push(call);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (failure?.call.test(call)) {
      const { error } = failure;
      failure = undefined;
      throw error;
    }
    // Uploads of assets carry the token of their session.
    if (
      request.headers.authorization !== `Bearer ${token}` &&
      !path.startsWith('/accounts/account-of-the-test/workers/assets')
    ) {
      throw new ApiError(401, 10_000, 'Authentication error');
    }
    for (const [pattern, run] of table) {
      const parts = pattern.exec(call);
      if (!parts) continue;
      return await run({
        method: `${request.method}`,
        path,
        query: searchParams,
        headers: request.headers as Record<string, string | undefined>,
        body: new Uint8Array(Buffer.concat(chunks)),
        parts: parts.slice(1).map(decodeURIComponent),
      });
    }
    throw new ApiError(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`);
  }

  const server = createServer((request, response) => {
    void answer(request).then(
      (result) => {
        if (result instanceof Uint8Array) return response.writeHead(200).end(result);
        const envelope = { success: true, errors: [], messages: [], ...toEnvelope(result) };
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(envelope));
      },
      (error: unknown) => {
        const { status, code } = error instanceof ApiError ? error : { status: 500, code: 1 };
        const message = error instanceof Error ? error.message : String(error);
        const envelope = { success: false, errors: [{ code, message }], messages: [], result: null };
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(envelope));
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/client/v4`,
    calls,
    failNext(call, error) {
      failure = { call, error };
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A list has one page here. */
function toEnvelope(result: unknown) {
  if (!Array.isArray(result)) return { result };
  const { length } = result;
  return {
    result,
    result_info: { page: 1, per_page: 100, count: length, total_count: length, total_pages: 1 },
  };
}
