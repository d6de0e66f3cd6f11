import { describe, expect, it } from 'vitest';
import { assertAllowedUrl } from '../../../src/lib/net/url-policy.ts';

const anyPublic = { allow: [] };
const refused = (
  url: string,
  code = 'url_forbidden',
  policy: Parameters<typeof assertAllowedUrl>[1] = anyPublic,
) => expect(assertAllowedUrl(url, policy), url).rejects.toMatchObject({ code });

describe('where images may come from', () => {
  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://0x7f.0.0.0x1/',
    'https://127.0.0.1./',
    'https://0.0.0.0/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.0.1/',
    'https://192.0.0.1/',
    'https://198.18.0.1/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::1]/',
    'https://[::]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:8.8.8.8]/',
    'https://[::127.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b:1::7f00:1]/',
    'https://[2001:0:7f00:1::]/',
    'https://168.63.129.16/',
    'https://[2001:470:1f0b:10::5efe:10.0.0.1]/',
    'https://[2001:470:1f0b:10:200:5efe:7f00:1]/',
    'https://[2001:db8::1]/',
    'https://[ff02::1]/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://localhost../',
    'https://foo.localhost/',
    'https://printer.local/',
    'https://router.lan/',
    'https://metadata.google.internal/',
    'https://intranet/',
    // Full-width and enclosed characters that IDNA turns into an address.
    'https://１２７.０.０.１/',
    'https://①②⑦.⓪.⓪.①/',
    'https://img.example.com:8443/',
    'http://img.example.com/',
  ])('not %s', (url) => refused(url));

  it.each([
    '',
    'cat.jpg',
    '//x/y',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:image/png;base64,',
    'https://u:p@example.com/',
    'https://127.0.0.1@example.com/',
    `https://example.com/${'a'.repeat(5000)}`,
  ])('no URL: %s', (url) => refused(url, 'url_invalid'));

  it.each([
    'https://img.example.com/cat.jpg',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://EXAMPLE.com./a?b#c',
  ])('yes: %s', async (url) => expect((await assertAllowedUrl(url, anyPublic)).protocol).toBe('https:'));

  it('asks where a name leads, and every address must be public', async () => {
    const leadingTo = (...addresses: string[]) => ({ allow: [], resolveHost: async () => addresses });
    await refused('https://rebind.example.com/', 'url_forbidden', leadingTo('93.184.216.34', '10.0.0.1'));
    await refused('https://rebind.example.com/', 'url_forbidden', leadingTo('::ffff:10.0.0.1'));
    await refused('https://nowhere.example.com/', 'url_unreachable', leadingTo());
    const failing = { allow: [], resolveHost: () => Promise.reject(new Error('SERVFAIL')) };
    await refused('https://nowhere.example.com/', 'url_unreachable', failing);
    await assertAllowedUrl('https://img.example.com/', leadingTo('93.184.216.34'));
  });

  it('keeps to the list, where there is one: hosts under the same rules, origins as they are written', async () => {
    const policy = { allow: ['*.example.com', 'cdn.example.org', 'http://127.0.0.1:9000'] };
    for (const url of ['https://a.example.com/', 'https://cdn.example.org/', 'http://127.0.0.1:9000/x'])
      await assertAllowedUrl(url, policy);
    for (const url of [
      'https://example.net/',
      'https://example.com.evil.net/',
      'https://evilexample.com/',
      'http://a.example.com/',
      'http://127.0.0.1:9001/',
      'https://127.0.0.1:9000/',
    ])
      await refused(url, 'url_forbidden', policy);
  });
});
