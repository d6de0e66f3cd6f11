import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import {
  parseWebhookSecret,
  signWebhook,
  verifyStandardWebhook,
} from '../../../src/jobs/webhook/standard-webhook.ts';

// The reference is the public package of the specification's authors.
const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', `whsec_${btoa('b'.repeat(32))}`] as const;
const [oldKey, newKey] = secrets.map(parseWebhookSecret);
const id = 'msg_2b';
const now = Date.now();
const timestamp = Math.floor(now / 1000);
const body = '{"type":"batch.succeeded","text":"ü€😀"}';
const raw = new TextEncoder().encode(body);

describe('a signed delivery', () => {
  it.each(secrets)('is accepted by the public package, with %s of a rotation', async (secret) => {
    const headers = await signWebhook(id, timestamp, body, [oldKey!, newKey!]);
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
  });
});

describe('an inbound event', () => {
  const signedBy = (secret: string, at = now) =>
    new Headers({
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, new Date(at), body),
    });
  const verify = (headers: Headers, bytes = raw) =>
    verifyStandardWebhook(headers, bytes, [oldKey!, newKey!], { now });

  it.each(secrets)(
    'that the public package signed is accepted with any key of a rotation',
    async (secret) => {
      expect(await verify(signedBy(secret))).toBe(id);
      const several = signedBy(secret);
      several.set('webhook-signature', `v1a,AAAA v1,AAAA ${several.get('webhook-signature')}`);
      expect(await verify(several)).toBe(id);
    },
  );

  it.each<[string, (headers: Headers) => void, Uint8Array<ArrayBuffer>?]>([
    ['another body', () => undefined, new TextEncoder().encode(body.replace('batch', 'botch'))],
    ['another id', (headers) => headers.set('webhook-id', 'msg_2c')],
    ['another time', (headers) => headers.set('webhook-timestamp', String(timestamp - 1))],
    ['no signature', (headers) => headers.delete('webhook-signature')],
    [
      'a signature of an unknown version',
      (headers) => headers.set('webhook-signature', headers.get('webhook-signature')!.replace('v1,', 'v2,')),
    ],
    [
      'a cut signature',
      (headers) => headers.set('webhook-signature', headers.get('webhook-signature')!.slice(0, 40)),
    ],
    ['an unreadable time', (headers) => headers.set('webhook-timestamp', 'now')],
  ])('with %s is refused', async (_, change, bytes = raw) => {
    const headers = signedBy(secrets[0]);
    change(headers);
    await expect(verify(headers, bytes)).rejects.toMatchObject({ code: 'webhook_signature_invalid' });
  });

  it.each([-301_000, 301_000])(
    'signed %i ms from now is refused, though its signature fits',
    async (offset) => {
      await expect(verify(signedBy(secrets[0], now + offset))).rejects.toMatchObject({
        code: 'webhook_signature_invalid',
        message: 'webhook-timestamp must be within 300 s of now.',
      });
      expect(await verify(signedBy(secrets[0], now + Math.sign(offset) * 299_000))).toBe(id);
    },
  );

  it.each([
    'whsec_',
    'whsec_%%%',
    `whsec_${btoa('short')}`,
    btoa('x'.repeat(32)),
    `whsec_${btoa('x'.repeat(65))}`,
  ])('needs a proper secret, not %s', (secret) => {
    expect(() => parseWebhookSecret(secret)).toThrow(RangeError);
  });
});
