import { CodedError } from '../../errors.ts';
import { malformed, truncated } from '../image-error.ts';
import { InflatedData } from '../inflated-data.ts';
import type { PngLayout } from './chunks.ts';

/**
 * Opens the content of the IDAT chunks, which together are one zlib stream.
 *
 * @see PNG third edition, 10 (compression)
 */
export function openImageData(bytes: Uint8Array, layout: PngLayout): InflatedData {
  return new InflatedData(compressedPieces(bytes, layout), (cause) => {
    if (cause instanceof CodedError) return cause;
    if (!layout.ended) return truncated('png', 'inside its pixel data');
    if (cause === undefined) return truncated('png', 'its data holds fewer rows than it declares');
    return malformed('png', 'its data cannot be inflated', { cause });
  });
}

function* compressedPieces(bytes: Uint8Array, { data }: PngLayout): Generator<Uint8Array> {
  for (const { start, end } of data) yield bytes.subarray(start, end);
}
