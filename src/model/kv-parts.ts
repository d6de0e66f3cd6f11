/**
 * A KV value holds at most 25 MiB, so a larger file is cut: part 0 under the key itself, part n
 * under `key#n`. The metadata of part 0 tells how many there are.
 */
export const kvPartBytes = 24 * 1024 * 1024;

export interface KvFileMetadata {
  readonly bytes: number;
  readonly parts: number;
}

/** @returns the key of one part; see kvPartBytes. */
export function toKvPartKey(key: string, part: number): string {
  return part === 0 ? key : `${key}#${part}`;
}

/** The part of a KV namespace that writing needs; local proxies and the real binding have it. */
export interface KvWriter {
  put(key: string, value: Uint8Array, options?: { metadata: KvFileMetadata }): Promise<void>;
}

/** Writes a file as the store reads it. The first part is written last: until then the file does not exist. */
export async function putKvFile(
  namespace: KvWriter,
  key: string,
  bytes: Uint8Array,
  partBytes: number = kvPartBytes,
): Promise<void> {
  const parts = Math.max(1, Math.ceil(bytes.byteLength / partBytes));
  for (let part = parts - 1; part >= 0; part--) {
    const slice = bytes.subarray(part * partBytes, (part + 1) * partBytes);
    const metadata: KvFileMetadata = { bytes: bytes.byteLength, parts };
    await namespace.put(toKvPartKey(key, part), slice, part === 0 ? { metadata } : undefined);
  }
}
