import { CodedError } from '../../errors.ts';
import { equalInConstantTime, hmacSha256 } from '../../lib/hmac.ts';

const prefix = 'sha256=';

/**
 * Verifies `X-Hub-Signature-256`: HMAC-SHA256 over the raw body, in hex. Neither a time nor an id is
 * signed, so that the one thing by which a replay can be told is the body itself.
 *
 * @param secrets texts, as they were typed into the sender's form.
 * @returns SHA-256 of the body in hex: the event's id.
 * @throws {CodedError} `webhook_signature_invalid`.
 */
export async function verifyGithubWebhook(
  headers: Headers,
  body: Uint8Array,
  secrets: readonly string[],
): Promise<string> {
  const header = headers.get('x-hub-signature-256') ?? '';
  const given = header.startsWith(prefix) ? fromHex(header.slice(prefix.length)) : undefined;
  if (!given) {
    throw new CodedError(
      'webhook_signature_invalid',
      'X-Hub-Signature-256 must be "sha256=" and hex digits.',
    );
  }
  const encoder = new TextEncoder();
  const expected = await Promise.all(secrets.map((secret) => hmacSha256(encoder.encode(secret), body)));
  const matches = expected.map((mac) => equalInConstantTime(mac, given));
  if (!matches.includes(true))
    throw new CodedError('webhook_signature_invalid', 'The signature does not fit.');
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', body as BufferSource)));
}

function fromHex(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{64}$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
