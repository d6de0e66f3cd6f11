import { toHex } from './hex.ts';

/** @returns SHA-256 of the text's UTF-8 bytes, or of the bytes, lower-case hex. */
export async function digestHex(data: string | Uint8Array): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return toHex(new Uint8Array(digest));
}

/** Whether two hashes are equal, in a time that depends only on their length. */
export function equalHex(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}
