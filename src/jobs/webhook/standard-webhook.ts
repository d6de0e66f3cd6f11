import { CodedError } from '../../errors.ts';
import { decodeBase64, encodeBase64 } from '../../lib/base64.ts';
import { equalInConstantTime, hmacSha256, joinBytes } from '../../lib/hmac.ts';

/**
 * Standard Webhooks, symmetric signatures (`v1`): HMAC-SHA256 over `id.timestamp.body`.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

/** A key of a `whsec_...` secret. */
export type WebhookKey = Uint8Array<ArrayBuffer>;

const secretPrefix = 'whsec_';
/** The specification's range for a symmetric secret. */
const minKeyBytes = 24;
const maxKeyBytes = 64;

/** A header may carry several signatures while a secret is rotated; more than these are not looked at. */
const maxSignatures = 16;

/** @throws {RangeError} If it is not `whsec_` and base64 of 24 to 64 bytes. The message does not repeat the secret. */
export function parseWebhookSecret(secret: string): WebhookKey {
  const trimmed = secret.trim();
  const key = trimmed.startsWith(secretPrefix) ? decodeBase64(trimmed.slice(secretPrefix.length)) : undefined;
  if (!key || key.byteLength < minKeyBytes || key.byteLength > maxKeyBytes) {
    throw new RangeError(
      `a webhook secret must be "${secretPrefix}" and base64 of ${minKeyBytes} to ${maxKeyBytes} bytes`,
    );
  }
  return key;
}

/**
 * @param keys one, or several while a secret is rotated: a receiver accepts any signature it knows.
 * @param timestamp seconds since 1970.
 * @returns The three headers of a delivery.
 */
export async function signWebhook(
  id: string,
  timestamp: number,
  body: string | Uint8Array,
  keys: readonly WebhookKey[],
): Promise<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const content = joinBytes(`${id}.${timestamp}.`, body);
  const signatures = await Promise.all(
    keys.map(async (key) => `v1,${encodeBase64(await hmacSha256(key, content))}`),
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}

export interface VerifyOptions {
  /** How far the timestamp may be from now, either way. Default: 300 s, as the specification advises. */
  readonly toleranceSeconds?: number;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

/**
 * The check that does not need the body: the headers are there, and the timestamp is recent.
 *
 * @throws {CodedError} `webhook_signature_invalid`.
 */
export function readStandardHeaders(
  headers: Headers,
  { toleranceSeconds = 300, now = Date.now() }: VerifyOptions = {},
): { readonly id: string; readonly timestamp: string; readonly signatures: string } {
  // Standard Webhooks come from Svix, whose own service sends the same headers as `svix-*`.
  const read = (name: string) => headers.get(`webhook-${name}`) ?? headers.get(`svix-${name}`);
  const id = read('id');
  const timestamp = read('timestamp');
  const signatures = read('signature');
  if (!id || !timestamp || !signatures) {
    throw new CodedError(
      'webhook_signature_invalid',
      'The headers webhook-id, webhook-timestamp and webhook-signature are needed (or svix-id and so on).',
    );
  }
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > toleranceSeconds) {
    throw new CodedError(
      'webhook_signature_invalid',
      `webhook-timestamp must be within ${toleranceSeconds} s of now.`,
    );
  }
  return { id, timestamp, signatures };
}

/**
 * Verifies an inbound event on its raw body.
 *
 * @returns the event's id, by which a replay is recognised.
 * @throws {CodedError} `webhook_signature_invalid`; it does not say which check failed beyond the timestamp's.
 */
export async function verifyStandardWebhook(
  headers: Headers,
  body: Uint8Array,
  keys: readonly WebhookKey[],
  options: VerifyOptions = {},
): Promise<string> {
  const { id, timestamp, signatures } = readStandardHeaders(headers, options);
  const content = joinBytes(`${id}.${timestamp}.`, body);
  const expected = await Promise.all(keys.map((key) => hmacSha256(key, content)));
  const given = signatures.split(' ', maxSignatures).flatMap((signature) => {
    const bytes = signature.startsWith('v1,') ? decodeBase64(signature.slice(3)) : undefined;
    return bytes ? [bytes] : [];
  });
  // Compares every pair, so that the time taken does not tell which key fits.
  const matches = expected.flatMap((mac) => given.map((bytes) => equalInConstantTime(mac, bytes)));
  if (matches.includes(true)) return id;
  throw new CodedError('webhook_signature_invalid', 'No signature fits the body.');
}
