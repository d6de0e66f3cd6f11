import { type MultipartPart, parseMultipart as splitMultipart } from '@remix-run/multipart-parser';
import { CodedError } from '../errors.ts';
import { maxBodyBytes, maxMultipartFields } from '../limits.ts';

export interface MultipartForm {
  /** Files by field, in order; bytes are views of the body. */
  readonly files: readonly { readonly field: string; readonly name: string; readonly bytes: Uint8Array }[];
  readonly fields: ReadonlyMap<string, string>;
}

const boundaryParameter = /;\s*boundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))/i;
/** Characters RFC 2046 allows in a boundary. */
const boundaryCharacters = /^[0-9A-Za-z'()+_,./:=? -]+$/;
const maxPartHeaderBytes = 8192;
const maxTextFieldBytes = 8192;

/**
 * Splits a multipart/form-data body (RFC 7578) without copying its files.
 *
 * @throws {CodedError} `multipart_invalid`.
 */
export function parseMultipartForm(bytes: Uint8Array, contentType: string): MultipartForm {
  const [, quoted, plain] = boundaryParameter.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined || !boundaryCharacters.test(boundary)) {
    throw new CodedError('multipart_invalid', 'The Content-Type has no usable boundary.');
  }
  const files: { field: string; name: string; bytes: Uint8Array }[] = [];
  const fields = new Map<string, string>();
  try {
    const parts = splitMultipart(bytes, {
      boundary,
      maxHeaderSize: maxPartHeaderBytes,
      maxFileSize: maxBodyBytes,
      maxTotalSize: maxBodyBytes,
      maxParts: maxMultipartFields,
    });
    for (const part of parts) {
      const field = part.name;
      if (field === undefined)
        throw new CodedError('multipart_invalid', 'A part has no Content-Disposition with a name.');
      if (part.isFile) files.push({ field, name: part.filename ?? '', bytes: toView(part) });
      else if (part.size <= maxTextFieldBytes) fields.set(field, part.text);
      else throw new CodedError('multipart_invalid', `The field "${field.slice(0, 40)}" is too long.`);
    }
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError(
      'multipart_invalid',
      `The multipart body cannot be parsed: it ends early, a part is malformed, or there are over ${maxMultipartFields}.`,
      { cause },
    );
  }
  return { files, fields };
}

/** A body that came in one piece gives parts in one piece. */
function toView(part: MultipartPart): Uint8Array {
  const [only, ...others] = part.content;
  return only && others.length === 0 ? only : part.bytes;
}
