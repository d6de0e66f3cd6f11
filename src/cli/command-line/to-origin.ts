import { UsageError } from './usage-error.ts';

/**
 * @returns what was typed, without slashes at its end.
 * @throws {UsageError} if it is not an http(s) URL.
 */
export function toOrigin(url: string, option: string): string {
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url.replace(/\/+$/, '');
  throw new UsageError(`${option} must be an http(s) URL, got "${url}".`);
}
