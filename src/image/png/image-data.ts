import { CodedError } from '../../errors.ts';
import { malformed, truncated } from '../image-error.ts';
import { InflatedData } from '../inflated-data.ts';
import type { PngLayout } from './chunks.ts';
import { crc32 } from './crc32.ts';

/** Bytes whose checksum is computed in one go: what is not read need not be checked. */
const pieceBytes = 16 * 1024;

/**
 * Opens the content of the IDAT chunks, which together are one zlib stream.
 *
 * @param verifyChecksums whether each chunk's CRC is compared while its data is handed over.
 * @see PNG third edition, 10 (compression)
 */
export function openImageData(bytes: Uint8Array, layout: PngLayout, verifyChecksums: boolean): InflatedData {
  return new InflatedData(compressedPieces(bytes, layout, verifyChecksums), (cause) => {
    if (cause instanceof CodedError) return cause;
    if (!layout.ended) return truncated('png', 'inside its pixel data');
    if (cause === undefined) return truncated('png', 'its data holds fewer rows than it declares');
    return malformed('png', 'its data cannot be inflated', { cause });
  });
}

function* compressedPieces(
  bytes: Uint8Array,
  { data }: PngLayout,
  verifyChecksums: boolean,
): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { start, end } of data) {
    // The checksum covers the chunk's type as well.
    let crc = verifyChecksums ? crc32(bytes, start - 4, start) : 0;
    for (let at = start; at < end; at += pieceBytes) {
      const pieceEnd = Math.min(at + pieceBytes, end);
      if (verifyChecksums) {
        crc = crc32(bytes, at, pieceEnd, crc);
        // Compared before the last piece is handed over, lest the pixels be complete before the verdict is.
        if (pieceEnd === end && end + 4 <= bytes.length && crc !== view.getUint32(end)) {
          throw malformed('png', 'the checksum of its IDAT is wrong');
        }
      }
      yield bytes.subarray(at, pieceEnd);
    }
  }
}
