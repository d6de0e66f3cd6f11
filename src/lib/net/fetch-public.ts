import { CodedError } from '../../errors.ts';
import { maxUrlRedirects, urlTimeoutMs } from '../../limits.ts';
import { readBounded } from './read-bounded.ts';
import { assertAllowedUrl, type UrlPolicy } from './url-policy.ts';

export interface FetchPublicOptions {
  /** The answer is refused as soon as one byte more has come. */
  readonly maxBytes: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Waits until `bytes` in all may be kept. Called before they are kept. */
  readonly hold?: (bytes: number) => Promise<void>;
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches a URL that a caller gave, and never reaches a private network: it checks every redirect like the first URL,
 * sends nothing of the caller's request, and bounds time and size. Between the check of a host name and the fetch the
 * platform resolves the name again. On Cloudflare `fetch` reaches only the public internet. Elsewhere use an allow-list
 * against DNS rebinding.
 *
 * @throws {CodedError} `url_invalid`, `url_forbidden`, `url_unreachable`, `url_too_large`; what `hold` throws.
 */
export async function fetchPublic(
  text: string,
  policy: UrlPolicy,
  { maxBytes, timeoutMs = urlTimeoutMs, signal, hold }: FetchPublicOptions,
): Promise<Uint8Array> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const stop = signal ? AbortSignal.any([deadline, signal]) : deadline;
  try {
    const response = await followRedirects(text, policy, stop);
    const bytes = await readBounded(
      response,
      maxBytes,
      () => new CodedError('url_too_large', `The URL gives more than ${maxBytes} bytes.`),
      hold,
    );
    if (bytes.byteLength === 0) throw new CodedError('url_unreachable', 'The URL gave no bytes.');
    return bytes;
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    const reason = deadline.aborted ? `within ${timeoutMs} ms` : 'at all';
    throw new CodedError('url_unreachable', `The URL did not give its image ${reason}.`, { cause });
  }
}

async function followRedirects(text: string, policy: UrlPolicy, signal: AbortSignal): Promise<Response> {
  let next = text;
  for (let hop = 0; hop <= maxUrlRedirects; hop++) {
    const url = await assertAllowedUrl(next, policy);
    const response = await fetch(url, {
      redirect: 'manual',
      signal,
      headers: { accept: 'image/*', 'user-agent': 'resnet-edge' },
    });
    if (!redirectStatuses.has(response.status)) {
      if (response.ok) return response;
      await response.body?.cancel();
      throw new CodedError('url_unreachable', `The URL answered with status ${response.status}.`);
    }
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (!location || !URL.canParse(location, url.href)) {
      throw new CodedError('url_unreachable', 'The URL redirects to nowhere.');
    }
    next = new URL(location, url).href;
  }
  throw new CodedError('url_unreachable', `The URL redirects more than ${maxUrlRedirects} times.`);
}
