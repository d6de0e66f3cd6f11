import { CodedError } from '../errors.ts';

const dataUrlPrefix = /^data:[^,]{0,200};base64,/i;

/**
 * @param text base64 (RFC 4648 section 4, padding optional, white space ignored) or a base64 data: URL.
 * @throws {CodedError} `base64_invalid`, `body_empty`.
 */
export function decodeBase64Image(text: string): Uint8Array {
  const isDataUrl = text.startsWith('data:');
  const prefix = isDataUrl ? dataUrlPrefix.exec(text.slice(0, 256))?.[0] : '';
  if (prefix === undefined) {
    throw new CodedError('base64_invalid', 'The data: URL is not base64: expected "data:image/...;base64,".');
  }
  let binary: string;
  try {
    binary = atob(text.slice(prefix.length));
  } catch {
    throw new CodedError('base64_invalid', '"image" is neither base64 nor a base64 data: URL.');
  }
  if (binary.length === 0) throw new CodedError('body_empty', '"image" holds no bytes.');
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
