import { BytesInput } from './inflate-input.ts';
import { InflateStream } from './inflate-stream.ts';

/**
 * The whole content of a zlib stream. A stream that is cut gives what there is.
 *
 * @param maxBytes is allocated.
 * @returns undefined if the stream breaks the rules, or holds more.
 */
export function inflateAll(bytes: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const stream = new InflateStream(
    new BytesInput(bytes),
    maxBytes + 1,
    0,
    () => new RangeError('not reached'),
  );
  const content = stream.readAll();
  return content.length > maxBytes || stream.end === 'invalid' ? undefined : content;
}
