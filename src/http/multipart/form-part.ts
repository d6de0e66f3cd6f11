import { MultipartPart } from '@remix-run/multipart-parser';
import { CodedError } from '../../errors.ts';

/** One part of a form (RFC 7578). */
export interface FormPart {
  readonly field: string | undefined;
  /** Undefined if the client gave none. */
  readonly fileName: string | undefined;
  /** React Native and old iOS code send files without a name: their content type distinguishes them from texts. */
  readonly isFile: boolean;
  /** A view of the body if the body came in one piece. */
  readonly bytes: Uint8Array;
}

const boundaryParameter = /;\s*boundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))/i;
/** Characters RFC 2046 allows in a boundary. */
const boundaryCharacters = /^[0-9A-Za-z'()+_,./:=? -]+$/;

/** @throws {CodedError} `multipart_invalid`. */
export function readBoundary(contentType: string): string {
  const [, quoted, plain] = boundaryParameter.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary !== undefined && boundaryCharacters.test(boundary)) return boundary;
  throw new CodedError('multipart_invalid', 'The Content-Type has no usable boundary.');
}

/** @throws {CodedError} `multipart_invalid` if its header is neither UTF-8 nor Latin-1. */
export function readFormPart(part: MultipartPart, boundary: string): FormPart {
  const decoded = withUnicodeHeader(part, boundary);
  const [only, ...others] = part.content;
  const isImage = decoded.mediaType?.startsWith('image/') === true;
  return {
    field: decoded.name,
    fileName: decoded.filename,
    isFile: decoded.isFile || isImage,
    bytes: only && others.length === 0 ? only : part.bytes,
  };
}

/**
 * Old clients write file names in Latin-1, which the parser refuses. A part does not give access to its raw header, but
 * its content is a view of the body's bytes, and the header lies before it.
 */
function withUnicodeHeader(part: MultipartPart, boundary: string): MultipartPart {
  try {
    void part.headers;
    return part;
  } catch (cause) {
    const header = findHeader(part.content[0], boundary);
    if (!header) throw new CodedError('multipart_invalid', 'The header of a part is not UTF-8.', { cause });
    const text = Array.from(header, (byte) => String.fromCharCode(byte)).join('');
    return new MultipartPart(new TextEncoder().encode(text), part.content);
  }
}

function findHeader(content: Uint8Array | undefined, boundary: string): Uint8Array | undefined {
  if (!content) return undefined;
  const blankLine = 4;
  const before = new Uint8Array(content.buffer, 0, content.byteOffset).subarray(0, -blankLine);
  const start = lastIndexOf(before, new TextEncoder().encode(`--${boundary}\r\n`));
  return start < 0 ? undefined : before.subarray(start + boundary.length + blankLine);
}

function lastIndexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (
    let start = bytes.lastIndexOf(wanted[0] ?? 0);
    start >= 0;
    start = bytes.lastIndexOf(wanted[0] ?? 0, start - 1)
  ) {
    if (wanted.every((byte, place) => bytes[start + place] === byte)) return start;
    if (start === 0) return -1;
  }
  return -1;
}
