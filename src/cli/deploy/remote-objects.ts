import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { callWrangler, WranglerError } from './call-wrangler.ts';

/** @returns the bytes of an object of a deployed bucket; undefined if there is none. @param scratch a folder. */
export async function getRemoteObject(
  bucket: string,
  key: string,
  scratch: string,
): Promise<Uint8Array | undefined> {
  const path = join(scratch, 'read');
  try {
    await callWrangler(['r2', 'object', 'get', `${bucket}/${key}`, '--file', path, '--remote']);
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof WranglerError && /key does not exist|\[code: 10007\]/.test(error.output))
      return undefined;
    throw error;
  }
}

/** @param path of the file. */
export async function putRemoteObject(bucket: string, key: string, path: string): Promise<void> {
  await callWrangler(['r2', 'object', 'put', `${bucket}/${key}`, '--file', path, '--remote']);
}
