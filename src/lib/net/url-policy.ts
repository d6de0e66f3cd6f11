import { CodedError } from '../../errors.ts';
import { maxUrlLength } from '../../limits.ts';
import { isPublicAddress, toHostAddress } from './public-address.ts';

export interface UrlPolicy {
  /**
   * Where images may come from: origins (`https://img.example.com`, `http://10.0.0.5:8080`) or host patterns
   * (`*.example.com`). Empty: any public host, over https. An origin in this list may use http or be in a private network,
   * because the operator has listed it.
   */
  readonly allow: readonly string[];
  /** Finds all addresses of a host name, so that a name of a private address is refused before the fetch. */
  readonly resolveHost?: ((hostname: string) => Promise<readonly string[]>) | undefined;
}

/** Names that always mean this machine or this network. */
const localNames = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|home|corp)$/;

/**
 * @returns the URL, without its fragment.
 * @throws {CodedError} `url_invalid`, `url_forbidden`.
 */
export async function assertAllowedUrl(text: string, policy: UrlPolicy): Promise<URL> {
  const url = parseUrl(text);
  const listed = matchAllowList(url, policy.allow);
  if (listed === 'origin') return url;
  if (policy.allow.length > 0 && listed === undefined) {
    throw new CodedError('url_forbidden', `Images are not fetched from ${url.host}: it is not on the list.`);
  }
  if (url.protocol !== 'https:') throw new CodedError('url_forbidden', 'Only https: URLs are fetched.');
  if (url.port !== '') throw new CodedError('url_forbidden', 'Only the standard port of https is used.');
  await assertPublicHost(url.hostname, policy.resolveHost);
  return url;
}

function parseUrl(text: string): URL {
  if (text.length > maxUrlLength) {
    throw new CodedError('url_invalid', `The URL is longer than ${maxUrlLength} characters.`);
  }
  if (!URL.canParse(text)) throw new CodedError('url_invalid', 'This is no absolute URL.');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new CodedError('url_invalid', `The scheme must be https:, got: ${url.protocol.slice(0, 20)}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new CodedError('url_invalid', 'The URL must not hold a user name or a password.');
  }
  if (url.hostname === '') throw new CodedError('url_invalid', 'The URL has no host.');
  url.hash = '';
  return url;
}

/** Removes dots at the end, which do not change the name. A loop, because a regular expression takes quadratic time. */
function trimDots(hostname: string): string {
  let end = hostname.length;
  while (hostname[end - 1] === '.') end--;
  return hostname.slice(0, end);
}

/** An entry with a scheme allows that very origin; one without allows its hosts, under the usual rules. */
function matchAllowList(url: URL, allow: readonly string[]): 'origin' | 'host' | undefined {
  const host = trimDots(url.hostname);
  let found: 'host' | undefined;
  for (const entry of allow) {
    if (entry.includes('://')) {
      if (URL.canParse(entry) && new URL(entry).origin === url.origin) return 'origin';
    } else if (entry.startsWith('*.') ? host.endsWith(entry.slice(1)) : host === entry) found = 'host';
  }
  return found;
}

async function assertPublicHost(hostname: string, resolveHost: UrlPolicy['resolveHost']): Promise<void> {
  const address = toHostAddress(hostname);
  if (address !== undefined) {
    if (isPublicAddress(address)) return;
    throw new CodedError('url_forbidden', `${address} is not an address of the public internet.`);
  }
  const name = trimDots(hostname);
  if (localNames.test(name) || !name.includes('.')) {
    throw new CodedError('url_forbidden', `"${name}" is not a host of the public internet.`);
  }
  if (!resolveHost) return;
  const addresses = await resolveHost(name).catch((cause: unknown) => {
    throw new CodedError('url_unreachable', `The host ${name} cannot be resolved.`, { cause });
  });
  if (addresses.length === 0) throw new CodedError('url_unreachable', `The host ${name} has no address.`);
  if (!addresses.every(isPublicAddress)) {
    throw new CodedError('url_forbidden', `${name} leads to an address inside a network.`);
  }
}
