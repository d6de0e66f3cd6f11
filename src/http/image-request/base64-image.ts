import { CodedError } from '../../errors.ts';
import { decodeBase64 } from '../../lib/base64.ts';

/** Accepts what the URL Standard's data: URL processor accepts: any case, spaces before `base64`, white space around. */
const dataUrlPrefix = /^\s{0,64}data:[^,]{0,200},/i;
const endsInBase64 = /; *base64\s*,$/i;

/**
 * @param text base64 (RFC 4648 section 4, padding optional, white space ignored) or a base64 data: URL.
 * @throws {CodedError} `base64_invalid`, `body_empty`.
 */
export function decodeBase64Image(text: string): Uint8Array<ArrayBuffer> {
  const prefix = dataUrlPrefix.exec(text.slice(0, 512))?.[0];
  if (prefix !== undefined && !endsInBase64.test(prefix)) {
    throw new CodedError('base64_invalid', 'The data: URL is not base64: expected "data:image/...;base64,".');
  }
  const bytes = decodeBase64(prefix === undefined ? text : unescapeBase64(text.slice(prefix.length)));
  if (!bytes) throw new CodedError('base64_invalid', '"image" is neither base64 nor a base64 data: URL.');
  if (bytes.byteLength === 0) throw new CodedError('body_empty', '"image" holds no bytes.');
  return bytes;
}

/** In a URL `+`, `/` and `=` may be percent-encoded; nothing else of base64 needs to be. */
function unescapeBase64(text: string): string {
  return text.includes('%')
    ? text.replace(/%(2b|2f|3d|20|0a|0d|09)/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}
