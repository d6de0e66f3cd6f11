import { parseMultipart } from '@remix-run/multipart-parser';
import { CodedError } from '../../errors.ts';
import { maxBodyBytes, maxMultipartFields, maxPartHeaderBytes, maxTextFieldBytes } from '../../limits.ts';
import { readBoundary, readFormPart } from './form-part.ts';
import { skipPreamble } from './skip-preamble.ts';

export interface MultipartForm {
  /** Files by field, in order; bytes are views of the body. */
  readonly files: readonly { readonly field: string; readonly name: string; readonly bytes: Uint8Array }[];
  readonly fields: ReadonlyMap<string, string>;
}

/**
 * Splits a multipart/form-data body (RFC 7578) without copying its files.
 *
 * @throws {CodedError} `multipart_invalid`.
 */
export function parseMultipartForm(bytes: Uint8Array, contentType: string): MultipartForm {
  const boundary = readBoundary(contentType);
  const files: { field: string; name: string; bytes: Uint8Array }[] = [];
  const fields = new Map<string, string>();
  try {
    const parts = parseMultipart(skipPreamble(bytes, boundary), {
      boundary,
      maxHeaderSize: maxPartHeaderBytes,
      maxFileSize: maxBodyBytes,
      maxTotalSize: maxBodyBytes,
      maxParts: maxMultipartFields,
    });
    for (const part of parts) {
      const { field, fileName, isFile, bytes: content } = readFormPart(part, boundary);
      if (field === undefined)
        throw new CodedError('multipart_invalid', 'A part has no Content-Disposition with a name.');
      if (isFile) files.push({ field, name: fileName ?? '', bytes: content });
      else if (content.byteLength <= maxTextFieldBytes) fields.set(field, part.text);
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
