import jsonPointer from 'jsonpointer';
import { z } from 'zod';
import { CodedError } from '../../errors.ts';
import { maxModelNameLength, maxTopK } from '../../limits.ts';
import {
  isGithubPing,
  readGithubPayload,
  readGithubSignature,
  verifyGithubWebhook,
} from './github-webhook.ts';
import { parseWebhookSecret, readStandardHeaders, verifyStandardWebhook } from './standard-webhook.ts';

const pointer = z
  .string()
  .max(200)
  .regex(/^(\/([^~/]|~[01])*)+$/, 'a JSON pointer (RFC 6901), e.g. /data/url');

const sourceSchema = z.strictObject({
  /** The last part of its path: `/v1/webhooks/{name}`. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  kind: z.enum(['standard', 'github']),
  /** Names of the secrets (bindings), never the secrets themselves; several while one is rotated. */
  secrets: z.array(z.string().min(1)).min(1).max(8),
  image_url: pointer,
  model: z.string().max(maxModelNameLength).optional(),
  top_k: z.int().min(1).max(maxTopK).optional(),
  /** Where the result is sent. Without it the result is only stored. */
  callback_url: z.url().optional(),
  tolerance_seconds: z.int().min(1).max(3600).optional(),
});

/** A sender of events, declared in configuration. */
export interface WebhookSource {
  readonly name: string;
  readonly model: string | undefined;
  readonly topK: number | undefined;
  readonly callbackUrl: string | undefined;
  /**
   * Checks the headers, before the body is read.
   *
   * @throws {CodedError} `webhook_signature_invalid`.
   */
  checkHeaders(headers: Headers): void;
  /**
   * @param body raw, as it was signed.
   * @returns the id by which a replay is recognised.
   * @throws {CodedError} `webhook_signature_invalid`.
   */
  verify(headers: Headers, body: Uint8Array): Promise<string>;
  /**
   * Whether a verified event only tests that the endpoint answers.
   */
  isPing(headers: Headers): boolean;
  /**
   * @param body of a verified event.
   * @throws {CodedError} `json_invalid`; `webhook_event_unusable` if there is no text at the pointer.
   */
  readImageUrl(headers: Headers, body: Uint8Array): string;
}

/**
 * @param json the configuration, a JSON list; undefined or empty for no sources.
 * @param readSecret gives the secret of a name, undefined if there is none.
 * @throws {Error} If the configuration is wrong: a deployment must not run with half of its sources.
 */
export function parseWebhookSources(
  json: string | undefined,
  readSecret: (name: string) => string | undefined,
): ReadonlyMap<string, WebhookSource> {
  if (!json?.trim()) return new Map();
  const parsed = z.array(sourceSchema).max(100).safeParse(JSON.parse(json));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const sources = parsed.data.map((row) => {
    const secrets = row.secrets.map((name) => {
      const secret = readSecret(name);
      if (!secret) throw new Error(`there is no secret "${name}"`);
      return secret;
    });
    return toSource(row, secrets);
  });
  return new Map(sources.map((source) => [source.name, source]));
}

function toSource(row: z.infer<typeof sourceSchema>, secrets: readonly string[]): WebhookSource {
  const keys = row.kind === 'standard' ? secrets.map(parseWebhookSecret) : [];
  const { tolerance_seconds: toleranceSeconds } = row;
  const options = toleranceSeconds === undefined ? {} : { toleranceSeconds };
  return {
    name: row.name,
    model: row.model,
    topK: row.top_k,
    callbackUrl: row.callback_url,
    checkHeaders(headers) {
      if (row.kind === 'standard') readStandardHeaders(headers, options);
      else readGithubSignature(headers);
    },
    verify: (headers, body) =>
      row.kind === 'standard'
        ? verifyStandardWebhook(headers, body, keys, options)
        : verifyGithubWebhook(headers, body, secrets),
    isPing: (headers) => row.kind === 'github' && isGithubPing(headers),
    readImageUrl: (headers, body) =>
      readTextAt(
        row.kind === 'github' ? readGithubPayload(headers, body) : new TextDecoder().decode(body),
        row.image_url,
      ),
  };
}

function readTextAt(text: string, path: string): string {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    throw new CodedError('json_invalid', 'The event is not JSON.');
  }
  const value: unknown =
    typeof event === 'object' && event !== null ? jsonPointer.get(event, path) : undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new CodedError('webhook_event_unusable', `The event has no text at ${path}.`);
}
