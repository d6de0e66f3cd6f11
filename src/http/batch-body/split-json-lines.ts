import { CodedError } from '../../errors.ts';
import { maxInputTextBytes } from '../../limits.ts';
import { Base64Sink } from './base64-sink.ts';

/** A line of NDJSON. */
export interface JsonLine {
  /** From 1; empty lines count. */
  readonly number: number;
  /** The line as JSON text. If it had an image, the image's text is empty. */
  readonly text: string;
  /** The bytes of the member "image" of the line's object, if it has one that is a string. */
  readonly image: Uint8Array | undefined;
}

const newline = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
/** Matches the text before an image; and how many characters of a line are searched for it. */
const imageMember = /"image"\s*:\s*"$/;
const imageMemberLength = 64;
/** `[` and `{` open, `]` and `}` close. */
const depthOf: Readonly<Record<number, number>> = { 91: 1, 123: 1, 93: -1, 125: -1 };

/**
 * Gives the lines of NDJSON as they come. Images are decoded while they are read, so it holds one image and at most
 * `maxInputTextBytes` of a line.
 *
 * @param hold waits until so many bytes of an image may be held.
 * @throws {CodedError} `body_too_large`, `base64_invalid`, `body_empty`, `json_invalid`; they name the line.
 */
export async function* splitJsonLines(
  chunks: AsyncIterable<Uint8Array>,
  hold: (bytes: number) => Promise<void>,
): AsyncGenerator<JsonLine, void, undefined> {
  const scanner = new LineScanner();
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      at = scanner.scan(chunk, at);
      await hold(scanner.heldBytes);
      const line = scanner.take();
      if (line) yield line;
    }
  }
  const last = scanner.end();
  if (last) yield last;
}

class LineScanner {
  #number = 1;
  #text = '';
  #image: Base64Sink | undefined;
  #decoded: Uint8Array | undefined;
  #state: 'outside' | 'string' | 'image' = 'outside';
  /** Arrays and objects that are open. */
  #depth = 0;
  /** Characters of an escape in an image's text that is not complete yet. */
  #escape = '';
  #isEscaped = false;
  #finished: JsonLine | undefined;
  #decoder = new TextDecoder();

  get heldBytes(): number {
    return this.#image?.heldBytes ?? this.#decoded?.length ?? 0;
  }

  /** @returns the line that has ended, and forgets it. */
  take(): JsonLine | undefined {
    const line = this.#finished;
    this.#finished = undefined;
    return line;
  }

  end(): JsonLine | undefined {
    if (this.#state === 'image') throw this.#name(new CodedError('json_invalid', 'not JSON.'));
    return this.#text.trim() === '' ? undefined : this.#toLine();
  }

  /** @returns where to go on: behind the line's end, or behind the chunk. */
  scan(chunk: Uint8Array, start: number): number {
    try {
      return this.#state === 'image' ? this.#scanImage(chunk, start) : this.#scanText(chunk, start);
    } catch (error) {
      throw this.#name(error);
    }
  }

  #scanText(chunk: Uint8Array, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === newline) {
        this.#keep(chunk.subarray(start, at));
        this.#finished = this.#toLine();
        return at + 1;
      }
      if (this.#state === 'string') {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === backslash) this.#isEscaped = true;
        else if (byte === quote) this.#state = 'outside';
      } else if (byte === quote) {
        this.#state = 'string';
        this.#keep(chunk.subarray(start, at + 1));
        const isMember = this.#depth === 1 && imageMember.test(this.#text.slice(-imageMemberLength));
        if (isMember && this.#decoded === undefined) {
          this.#state = 'image';
          this.#image = new Base64Sink();
        }
        return at + 1;
      } else if (byte !== undefined) this.#depth += depthOf[byte] ?? 0;
    }
    this.#keep(chunk.subarray(start));
    return chunk.length;
  }

  #scanImage(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length) {
      if (this.#escape !== '') {
        this.#escape += String.fromCharCode(chunk[at]!);
        at++;
        const length = this.#escape[1] === 'u' ? 6 : 2;
        if (this.#escape.length < length) continue;
        this.#image?.write(readEscape(this.#escape));
        this.#escape = '';
        continue;
      }
      let end = at;
      while (end < chunk.length && chunk[end] !== quote && chunk[end] !== backslash && chunk[end] !== newline)
        end++;
      if (end > at) this.#image?.write(this.#decoder.decode(chunk.subarray(at, end)));
      if (end === chunk.length) return end;
      if (chunk[end] === newline) throw new CodedError('json_invalid', 'not JSON.');
      at = end + 1;
      if (chunk[end] === backslash) {
        this.#escape = '\\';
        continue;
      }
      this.#decoded = this.#image?.end();
      this.#image = undefined;
      this.#text += '"';
      this.#state = 'outside';
      return at;
    }
    return at;
  }

  #keep(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    if (this.#text.length <= maxInputTextBytes) return;
    throw new CodedError('body_too_large', `it has more than ${maxInputTextBytes} bytes beside its image.`);
  }

  #toLine(): JsonLine {
    const line = { number: this.#number, text: this.#text, image: this.#decoded };
    this.#number++;
    this.#text = '';
    this.#decoded = undefined;
    this.#state = 'outside';
    this.#depth = 0;
    this.#isEscaped = false;
    this.#decoder = new TextDecoder();
    return line;
  }

  #name(error: unknown): unknown {
    return error instanceof CodedError
      ? new CodedError(error.code, `line ${this.#number}: ${error.message}`)
      : error;
  }
}

/** @throws {CodedError} `json_invalid`. */
function readEscape(text: string): string {
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    throw new CodedError('json_invalid', 'not JSON.');
  }
}
