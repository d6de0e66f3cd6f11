import { CodedError } from '../../errors.ts';
import { digestHex } from '../../lib/digest.ts';
import { fromHex } from '../../lib/hex.ts';
import { equalInConstantTime, hmacSha256 } from '../../lib/hmac.ts';

const prefix = 'sha256=';
const hmacBytes = 32;

/**
 * Verifies `X-Hub-Signature-256`: HMAC-SHA256 over the raw body, in hex. Neither a time nor an id is signed, so a replay
 * is recognised only by its body.
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
  const given = readGithubSignature(headers);
  const encoder = new TextEncoder();
  const expected = await Promise.all(secrets.map((secret) => hmacSha256(encoder.encode(secret), body)));
  const matches = expected.map((mac) => equalInConstantTime(mac, given));
  if (!matches.includes(true))
    throw new CodedError('webhook_signature_invalid', 'The signature does not fit.');
  return await digestHex(body);
}

/**
 * The check that does not need the body: reads the signature's header.
 *
 * @returns the HMAC that the sender made.
 * @throws {CodedError} `webhook_signature_invalid`.
 */
export function readGithubSignature(headers: Headers): Uint8Array {
  const header = headers.get('x-hub-signature-256') ?? '';
  const given = header.startsWith(prefix) ? fromHex(header.slice(prefix.length)) : undefined;
  if (given?.byteLength !== hmacBytes) {
    throw new CodedError(
      'webhook_signature_invalid',
      'X-Hub-Signature-256 must be "sha256=" and hex digits.',
    );
  }
  return given;
}

/** GitHub sends one when a webhook is set up, to see whether somebody answers. */
export function isGithubPing(headers: Headers): boolean {
  return headers.get('x-github-event') === 'ping';
}

/**
 * Reads an event as GitHub sends it: JSON, or a form with the JSON in its field `payload`. The webhook's owner chooses.
 *
 * @param body of a verified event.
 */
export function readGithubPayload(headers: Headers, body: Uint8Array): string {
  const text = new TextDecoder().decode(body);
  const isForm = headers.get('content-type')?.toLowerCase().startsWith('application/x-www-form-urlencoded');
  return isForm ? (new URLSearchParams(text).get('payload') ?? '') : text;
}
