import { CodedError } from '../../errors.ts';
import { maxPreambleBytes } from '../../limits.ts';

/**
 * Removes the text before the first boundary: a line break, or a text for old mail readers (RFC 2046, 5.1.1). The parser
 * expects the boundary first.
 *
 * @throws {CodedError} `multipart_invalid` if the boundary does not come within `maxPreambleBytes`.
 */
export function skipPreamble(bytes: Uint8Array, boundary: string): Uint8Array {
  const start = findFirstBoundary(bytes, boundary);
  if (start === undefined) throw noBoundary();
  return bytes.subarray(start);
}

/** Like `skipPreamble`, for a body that comes in pieces. */
export async function* skipPreambleOf(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  boundary: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Uint8Array | undefined = new Uint8Array();
  for await (const chunk of chunks) {
    if (!head) {
      yield chunk;
      continue;
    }
    head = join(head, chunk);
    const start = findFirstBoundary(head, boundary);
    if (start !== undefined) {
      yield head.subarray(start);
      head = undefined;
    } else if (head.byteLength > maxPreambleBytes + boundary.length) throw noBoundary();
  }
  if (head) throw noBoundary();
}

/** Finds the first boundary at the beginning of a line. */
function findFirstBoundary(bytes: Uint8Array, boundary: string): number | undefined {
  // Latin-1 has one character for each byte, so positions in the text are positions in the bytes.
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, maxPreambleBytes + boundary.length + 2));
  const delimiter = `--${boundary}`;
  if (text.startsWith(delimiter)) return 0;
  const lineBreak = text.indexOf(`\r\n${delimiter}`);
  return lineBreak < 0 ? undefined : lineBreak + 2;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.byteLength === 0) return b;
  const joined = new Uint8Array(a.byteLength + b.byteLength);
  joined.set(a);
  joined.set(b, a.byteLength);
  return joined;
}

function noBoundary(): CodedError {
  return new CodedError(
    'multipart_invalid',
    'The body does not begin with the boundary that the Content-Type names.',
  );
}
