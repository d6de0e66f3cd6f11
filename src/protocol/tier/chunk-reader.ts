import type { z } from 'zod';
import { CodedError } from '../../errors.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { type ChunkHead, chunkHeadSchema, itemHeadSchema } from './chunk-format.ts';

/** A head line has some 200 characters. */
const maxLineBytes = 1024;
const newline = 0x0a;

/** Reads a chunk stream (chunk-format.ts) piece by piece; a head is checked before its bytes are waited for. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffered: Uint8Array = new Uint8Array();
  #ended = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** @throws {CodedError} `chunk_invalid`, like all of this. */
  async readHead(): Promise<ChunkHead> {
    const line = await this.#readLine();
    if (line === undefined) throw new CodedError('chunk_invalid', 'The chunk is empty.');
    return parseLine(line, chunkHeadSchema);
  }

  /** @param maxItems as the head says. */
  async *readItems(maxItems: number): AsyncGenerator<{ index: number; bytes: Uint8Array }, void, undefined> {
    const seen = new Set<number>();
    for (let line = await this.#readLine(); line !== undefined; line = await this.#readLine()) {
      const { index, bytes } = parseLine(line, itemHeadSchema);
      if (seen.has(index) || seen.size === maxItems) {
        throw new CodedError(
          'chunk_invalid',
          `Item ${index} comes twice, or after the ${maxItems} announced.`,
        );
      }
      seen.add(index);
      yield { index, bytes: await this.#readBytes(bytes) };
    }
  }

  async #readLine(): Promise<string | undefined> {
    for (;;) {
      const end = this.#buffered.indexOf(newline);
      if (end > maxLineBytes || (end < 0 && this.#buffered.byteLength > maxLineBytes)) {
        throw new CodedError('chunk_invalid', `A head is longer than ${maxLineBytes} bytes.`);
      }
      if (end >= 0) {
        const line = new TextDecoder().decode(this.#buffered.subarray(0, end));
        this.#buffered = this.#buffered.subarray(end + 1);
        return line;
      }
      if (!(await this.#more())) {
        if (this.#buffered.byteLength > 0) throw cutShort();
        return undefined;
      }
    }
  }

  async #readBytes(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#buffered.byteLength === 0 && !(await this.#more())) throw cutShort();
      const part = this.#buffered.subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.byteLength;
      this.#buffered = this.#buffered.subarray(part.byteLength);
    }
    return bytes;
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const next = await this.#chunks.next();
    if (next.done) {
      this.#ended = true;
      return false;
    }
    if (this.#buffered.byteLength === 0) this.#buffered = next.value;
    else {
      const joined = new Uint8Array(this.#buffered.byteLength + next.value.byteLength);
      joined.set(this.#buffered);
      joined.set(next.value, this.#buffered.byteLength);
      this.#buffered = joined;
    }
    return true;
  }
}

function parseLine<T>(line: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new CodedError('chunk_invalid', 'A head is not JSON.');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new CodedError('chunk_invalid', `${formatIssue(parsed.error.issues[0], 'A head')}.`);
}

function cutShort(): CodedError {
  return new CodedError('body_aborted', 'The chunk ended early.');
}
