import { readFile, stat } from 'node:fs/promises';
import { maxBodyBytes } from '../../limits.ts';
import type { ImageInput } from './find-inputs.ts';

/** One image could not be read; the others go on. */
export class InputError extends Error {
  override readonly name = 'InputError';
  /** `file_unreadable`, `url_unreachable` or `body_too_large`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const downloadTimeoutMs = 30_000;

/**
 * Reads the bytes of an image, at most as many as the service takes.
 *
 * It fetches a URL here and not in the service, so that a person may also name a server on this machine.
 *
 * @throws {InputError}
 */
export async function readInput(input: ImageInput): Promise<Uint8Array<ArrayBuffer>> {
  switch (input.kind) {
    case 'file':
      return await readImageFile(input.path);
    case 'stdin':
      return await collect(process.stdin, 'Standard input');
    case 'url':
      return await download(input.name);
  }
}

async function readImageFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size } = await stat(path);
    if (size > maxBodyBytes) throw tooLarge('The file');
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError('file_unreadable', toText(error), { cause: error });
  }
}

async function download(url: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(downloadTimeoutMs) });
    if (!response.ok) throw new InputError('url_unreachable', `The URL answered ${response.status}.`);
    return await collect(response.body ?? [], 'The URL');
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError('url_unreachable', toText(error), { cause: error });
  }
}

async function collect(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw tooLarge(what);
    parts.push(chunk);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function tooLarge(what: string): InputError {
  return new InputError('body_too_large', `${what} has more than ${maxBodyBytes} bytes.`);
}

/** fetch itself says only that it failed. */
function toText(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
