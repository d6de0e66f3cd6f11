import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseWebhookSources } from '../../../src/jobs/webhook/webhook-source.ts';
import { maxDeliveryAttempts, nextDeliveryDelay, parseRetryAfter } from '../../../src/lib/retry-schedule.ts';

const secrets = new Map([
  ['OLD', 'first'],
  ['NEW', 'second'],
]);
const configure = (fields: object) =>
  parseWebhookSources(
    JSON.stringify([
      { name: 'shop', kind: 'github', secrets: ['OLD', 'NEW'], image_url: '/a~1b/0/url', ...fields },
    ]),
    (name) => secrets.get(name),
  );
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('a GitHub-style source', () => {
  const shop = configure({}).get('shop')!;
  const body = encode({ 'a/b': [{ url: 'https://example.com/cat.jpg' }] });
  // node:crypto is the reference for Web Crypto here.
  const sign = (secret: string) =>
    new Headers({
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    });

  it('accepts each of its secrets, and gives the same id to the same body', async () => {
    const id = await shop.verify(sign('first'), body);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await shop.verify(sign('second'), body)).toBe(id);
  });

  it('knows the test value of GitHub’s documentation', async () => {
    // "Testing the webhook payload validation", docs.github.com.
    const hello = parseWebhookSources(
      JSON.stringify([{ name: 'g', kind: 'github', secrets: ['S'], image_url: '/a' }]),
      () => "It's a Secret to Everybody",
    ).get('g')!;
    const headers = new Headers({
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    });
    await expect(hello.verify(headers, new TextEncoder().encode('Hello, World!'))).resolves.toBeTypeOf(
      'string',
    );
    await expect(hello.verify(headers, new TextEncoder().encode('Hello, World'))).rejects.toMatchObject({
      code: 'webhook_signature_invalid',
    });
  });

  it.each(['', 'sha256=', 'sha256=zz', 'sha1=00', `sha256=${'0'.repeat(64)}`])(
    'refuses "%s"',
    async (header) => {
      const headers = new Headers({ 'x-hub-signature-256': header });
      await expect(shop.verify(headers, body)).rejects.toMatchObject({ code: 'webhook_signature_invalid' });
    },
  );

  it('finds the image where the pointer says, and says where it looked if there is none', () => {
    expect(shop.readImageUrl(new Headers(), body)).toBe('https://example.com/cat.jpg');
    for (const event of [{}, [], null, 7, { 'a/b': [{ url: 7 }] }, { 'a/b': [{ url: '' }] }]) {
      expect(() => shop.readImageUrl(new Headers(), encode(event))).toThrow(
        'The event has no text at /a~1b/0/url.',
      );
    }
    expect(() => shop.readImageUrl(new Headers(), new Uint8Array([123]))).toThrow('The event is not JSON.');
  });
});

describe('the configuration of sources', () => {
  it.each([
    [{ secrets: ['MISSING'] }, 'there is no secret "MISSING"'],
    [{ kind: 'standard' }, 'a webhook secret must be'],
    [{ kind: 'other' }, 'kind'],
    [{ image_url: 'url' }, 'JSON pointer'],
    [{ name: 'UPPER' }, 'name'],
  ])('is refused with %j', (fields, message) => {
    expect(() => configure(fields)).toThrow(message);
  });

  it('may be empty', () => expect(parseWebhookSources(undefined, () => undefined).size).toBe(0));
});

describe('retries of a delivery', () => {
  it('follow the specification’s schedule, with jitter above it, and end', () => {
    const steps = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
    expect(maxDeliveryAttempts).toBe(10);
    for (const [index, step] of steps.entries()) {
      expect(nextDeliveryDelay(index + 1, undefined, 0)).toBe(step);
      expect(nextDeliveryDelay(index + 1, undefined, 0.999)).toBeLessThanOrEqual(step * 1.2);
      expect(nextDeliveryDelay(index + 1, undefined, 0.999)).toBeGreaterThan(step * 1.15);
    }
    expect(nextDeliveryDelay(10)).toBeUndefined();
  });

  it('wait as long as the receiver asks, but no longer than the longest step', () => {
    expect(nextDeliveryDelay(1, 60, 0)).toBe(60);
    expect(nextDeliveryDelay(2, 60, 0)).toBe(300);
    expect(nextDeliveryDelay(1, 1e9, 0)).toBe(86_400);
  });

  it('read Retry-After in both of its forms', () => {
    const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
    expect(parseRetryAfter('120')).toBe(120);
    expect(parseRetryAfter('Wed, 21 Oct 2026 07:28:30 GMT', now)).toBe(30);
    expect(parseRetryAfter('Wed, 21 Oct 2026 07:27:00 GMT', now)).toBe(0);
    expect(parseRetryAfter('soon')).toBeUndefined();
    expect(parseRetryAfter(null)).toBeUndefined();
  });
});
