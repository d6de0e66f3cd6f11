import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { Hono } from 'hono';
import { CodedError } from '../../errors.ts';
import type { HonoEnv } from '../context.ts';
import { openApiInfo, tags } from '../openapi.ts';

/** The page: nothing but its own files and what the person picks. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Swagger UI writes style attributes and draws from data: URLs. */
const referencePolicy = pagePolicy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");

/** What a person opens in a browser: the page at /, the API reference at /docs; and /openapi.json. */
export function pageRoutes(api: OpenAPIHono<HonoEnv>) {
  let document: object | undefined;
  return new Hono<HonoEnv>()
    .get('/', async (c) => {
      if (c.get('options').assets && c.req.header('accept')?.includes('text/html'))
        return await serve(c, '/page.html', pagePolicy);
      c.header('vary', 'accept');
      return c.json({ service: 'resnet-edge', documentation: '/docs', openapi: '/openapi.json' });
    })
    .get('/docs', (c) => serve(c, '/docs.html', referencePolicy))
    .get('/assets/:file', (c) => serve(c, c.req.path, pagePolicy))
    .get('/openapi.json', (c) => {
      document ??= api.getOpenAPI31Document({
        ...openApiInfo,
        tags: [...tags],
        servers: [{ url: '/' }],
        security: [{ apiKey: [] }, { bearer: [] }, {}],
      });
      c.header('access-control-allow-origin', '*');
      return c.json(document);
    });
}

async function serve(c: Context<HonoEnv>, path: string, policy: string): Promise<Response> {
  const { assets } = c.get('options');
  const found = await assets?.fetch(new Request(new URL(path, c.req.url), { headers: pickValidators(c) }));
  if (!found || found.status === 404) {
    throw new CodedError('page_unavailable', 'This deployment has no such page.');
  }
  const response = new Response(found.body, found);
  response.headers.set('content-security-policy', policy);
  return response;
}

function pickValidators(c: Context<HonoEnv>): Headers {
  const headers = new Headers();
  const tag = c.req.header('if-none-match');
  if (tag !== undefined) headers.set('if-none-match', tag);
  return headers;
}
