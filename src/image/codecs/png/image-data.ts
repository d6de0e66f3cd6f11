import { CodedError } from '../../../errors.ts';
import { malformed, truncated } from '../../image-error.ts';
import { InflatedData } from '../../inflated-data.ts';
import { type PngLayout, typeIdat, typeIend } from './chunks.ts';
import type { DataChecksums } from './data-checksums.ts';

/** Chunks with less data are gathered into pieces; 8 KB is what encoders write. */
const smallPieceBytes = 4 * 1024;
const gatheredBytes = 16 * 1024;

/**
 * Opens the content of the IDAT chunks, which together are one zlib stream.
 *
 * @param checksums are compared before the data is handed over.
 * @see PNG third edition, 10 (compression)
 */
export function openImageData(bytes: Uint8Array, layout: PngLayout, checksums: DataChecksums): InflatedData {
  return new InflatedData(compressedPieces(bytes, layout, checksums), (cause) => {
    if (cause instanceof CodedError) return cause;
    if (!layout.ended) return truncated('png', 'inside its pixel data');
    if (cause === undefined) return truncated('png', 'its data holds fewer rows than it declares');
    return malformed('png', 'its data cannot be inflated', { cause });
  });
}

/**
 * The chunks' data in pieces. Small ones are gathered, for each piece has its price downstream: a file may
 * consist of chunks of one byte (13 microseconds each, measured).
 */
function* compressedPieces(
  bytes: Uint8Array,
  { dataStart }: PngLayout,
  checksums: DataChecksums,
): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let gathered = new Uint8Array(0);
  let count = 0;
  for (let position = dataStart; position + 8 <= bytes.length; ) {
    const start = position + 8;
    const end = start + view.getUint32(position);
    const type = view.getUint32(position + 4);
    position = end + 4;
    if (type === typeIend) break;
    if (type !== typeIdat) continue;
    checksums.compareUntil(position);
    // The last chunk may be cut by the end of the file.
    const length = Math.min(end, bytes.length) - start;
    const isSmall = length < smallPieceBytes;
    if (count > 0 && (!isSmall || count + length > gatheredBytes)) {
      yield gathered.subarray(0, count);
      count = 0;
    }
    if (!isSmall) yield bytes.subarray(start, start + length);
    if (!isSmall || length === 0) continue;
    // Anew for each piece: what was handed over is not ours any more.
    if (count === 0) gathered = new Uint8Array(gatheredBytes);
    for (let i = 0; i < length; i++) gathered[count++] = bytes[start + i];
  }
  if (count > 0) yield gathered.subarray(0, count);
}
