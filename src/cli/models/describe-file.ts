import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

/** A file as a manifest names it. */
export async function describeFile(path: string): Promise<{ file: string; bytes: number; sha256: string }> {
  const bytes = await readFile(path);
  return {
    file: basename(path),
    bytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
