import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import type { Handler } from 'hono';
import { CodedError, type ErrorCode } from '../errors.ts';
import { formatIssue } from '../lib/format-issue.ts';
import { problemKinds } from '../problem.ts';
import type { HonoEnv } from './context.ts';

/** The document's own description, at /openapi.json. */
export const openApiInfo = {
  openapi: '3.1.0',
  info: {
    title: 'resnet-edge',
    version: '1',
    description:
      'ImageNet labels for pictures, from a ResNet that runs at the edge. Errors are RFC 9457 problems with a stable `code`.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
} as const;

export const tags = [
  { name: 'classify', description: 'Pictures in, labels out.' },
  { name: 'embeddings', description: 'Pictures in, vectors out.' },
  { name: 'classifiers', description: 'Classes of your own, from a few pictures.' },
  { name: 'models', description: 'What can be asked.' },
  { name: 'batches', description: 'Many pictures, answered later.' },
  { name: 'webhooks', description: 'Events in.' },
  { name: 'objects', description: 'What the objects of a bucket show.' },
  { name: 'service', description: 'Health, metrics, tokens.' },
  { name: 'dialects', description: 'The same answers in the words of other APIs.' },
] as const;

const codes = Object.keys(problemKinds) as [ErrorCode, ...ErrorCode[]];

const errorCodeSchema = z.enum(codes).openapi('ErrorCode');

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: errorCodeSchema,
    detail: z.string(),
    request_id: z.string().optional(),
  })
  .openapi('Problem', { description: 'RFC 9457 problem details. `code` is stable, `detail` is for people.' });

/** An app that answers `option_invalid` to parameters that do not fit their schema. */
export function createRouter(): OpenAPIHono<HonoEnv> {
  return new OpenAPIHono<HonoEnv>({
    defaultHook(result) {
      if (result.success) return;
      throw new CodedError('option_invalid', `${formatIssue(result.error.issues[0], 'The request')}.`);
    },
  });
}

/**
 * Declares a route with its body, and mounts a handler that reads the body itself and bounds its size. The validators of
 * zod-openapi would first read a body of any size.
 *
 * @param routingPath the path for Hono if it differs from the declared one, for example for a parameter with slashes.
 */
export function mount<R extends RouteConfig & { getRoutingPath(): string }>(
  app: OpenAPIHono<HonoEnv>,
  route: R,
  handler: Handler<HonoEnv>,
  routingPath: string = route.getRoutingPath(),
): void {
  app.openAPIRegistry.registerPath(route);
  app.on([route.method], routingPath, handler);
}

/** Error codes of every route behind the access check. */
const everywhere = [
  'access_not_configured',
  'configuration_invalid',
  'credential_missing',
  'credential_invalid',
  'scope_missing',
  'rate_limited',
  'option_invalid',
  'storage_unavailable',
  'internal',
] as const satisfies readonly ErrorCode[];

/** Codes of finding and loading a model. */
export const modelCodes = [
  'model_unknown',
  'model_unavailable',
  'model_corrupt',
  'model_manifest_invalid',
  'model_out_of_memory',
  'model_requires_batch_tier',
] as const satisfies readonly ErrorCode[];

/** Codes of reading a body. */
export const bodyCodes = [
  'body_empty',
  'body_too_large',
  'body_aborted',
  'body_timeout',
  'media_type_unsupported',
] as const satisfies readonly ErrorCode[];

/** Codes of reading and decoding a picture, for every route that takes one. */
export const pictureCodes = [
  ...bodyCodes,
  'json_invalid',
  'base64_invalid',
  'multipart_invalid',
  'image_field_missing',
  'too_many_images',
  'image_format_unknown',
  'image_format_unsupported',
  'image_malformed',
  'image_truncated',
  'image_too_many_pixels',
  'image_too_complex',
  ...modelCodes,
  'inference_failed',
  'batch_tier_unavailable',
  'overloaded',
] as const satisfies readonly ErrorCode[];

/** Codes of fetching a picture by reference. */
export const referenceCodes = [
  'url_invalid',
  'url_forbidden',
  'url_unreachable',
  'url_too_large',
  'r2_not_configured',
  'r2_key_unknown',
] as const satisfies readonly ErrorCode[];

/** The `responses` of a route for the codes it may end in, one entry a status. */
export function problemResponses(...own: readonly ErrorCode[]) {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...own, ...everywhere])) {
    const { status } = problemKinds[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    Array.from(byStatus, ([status, list]) => [
      status,
      {
        description: list.map((code) => `\`${code}\``).join(', '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );
}
