import { maxTiffCopiedBytes } from '../../../limits.ts';
import { malformed, tooComplex, truncated } from '../../image-error.ts';
import { marker, nextSegment } from '../jpeg/segments.ts';
import type { TiffDirectory } from './directory.ts';

const quantizationBytes = 64;
const codeLengths = 16;

/**
 * One JPEG stream, of what a file in the old style has: a stream or the beginning of one, or tables; and strips of
 * coded data, between which restart markers were left out.
 *
 * @returns a part of the file where the stream lies in it as it is.
 * @throws {CodedError} `image_malformed`, `image_truncated`; `image_too_complex` if a long one has to be put together.
 * @see libtiff tif_ojpeg.c, which says what writers made of TIFF 6.0 section 22
 */
export function assembleOldJpeg(bytes: Uint8Array, directory: TiffDirectory): Uint8Array {
  const { offsets, oldJpeg } = directory;
  const firstStrip = offsets.at(0) ?? 0;
  const start = oldJpeg.stream?.start ?? 0;
  const hasStream = start > 0 && isStream(bytes, start);
  if (!hasStream) {
    if (isStream(bytes, firstStrip)) return bytes.subarray(firstStrip);
    return join(directory, [buildHeader(bytes, directory)], bytes);
  }
  const length = oldJpeg.stream?.length || bytes.length - start;
  const scanStart = findScan(bytes, start);
  const isContinuous = scanStart !== undefined && (scanStart < start + length || scanStart === firstStrip);
  if (isContinuous && (scanStart < start + length || offsets.length === 1)) return bytes.subarray(start);
  const header = bytes.subarray(start, Math.min(start + length, bytes.length));
  return join(directory, withRestarts(header, directory), bytes);
}

function isStream(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0xff && bytes[start + 1] === marker.startOfImage;
}

/** Where the data of the first scan begins. */
function findScan(bytes: Uint8Array, start: number): number | undefined {
  for (let position = start + 2; ; ) {
    const segment = nextSegment(bytes, position);
    if (segment === undefined || segment.code === marker.endOfImage) return undefined;
    if (segment.code === marker.startOfScan) return segment.end;
    position = segment.end;
  }
}

/** A header that does not say where restarts are, though each strip is one: it is said behind its first two bytes. */
function withRestarts(header: Uint8Array, directory: TiffDirectory): Uint8Array[] {
  for (let position = 2; ; ) {
    const segment = nextSegment(header, position);
    if (segment === undefined) break;
    if (segment.code === marker.restartInterval) return [header];
    position = segment.end;
  }
  return [header.subarray(0, 2), restartInterval(directory), header.subarray(2)];
}

/** Puts strips behind a header, with a restart marker between two. */
function join(directory: TiffDirectory, header: readonly Uint8Array[], bytes: Uint8Array): Uint8Array {
  const { offsets, byteCounts } = directory;
  const parts = [...header];
  let length = parts.reduce((sum, part) => sum + part.length, 0);
  for (let i = 0; i < offsets.length; i++) {
    const start = offsets.at(i) ?? 0;
    if (start >= bytes.length) throw truncated('tiff', 'inside its pixel data');
    const byteCount = byteCounts.at(i) || bytes.length - start;
    const strip = bytes.subarray(start, start + byteCount);
    if (i > 0) parts.push(Uint8Array.of(0xff, marker.restart0 + ((i - 1) & 7)));
    parts.push(strip);
    length += strip.length + 2;
    if (length > maxTiffCopiedBytes)
      throw tooComplex('tiff', `more than ${maxTiffCopiedBytes} bytes in strips`);
  }
  const stream = new Uint8Array(length + 2);
  let at = 0;
  for (const part of parts) {
    stream.set(part, at);
    at += part.length;
  }
  stream.set([0xff, marker.endOfImage], at);
  return stream.subarray(0, at + 2);
}

/** The header of a stream whose tables stand alone in the file. */
function buildHeader(bytes: Uint8Array, directory: TiffDirectory): Uint8Array {
  const { width, height, samplesPerPixel, chromaSubsampling, oldJpeg } = directory;
  const out: number[] = [0xff, marker.startOfImage];
  const ids = Array.from({ length: samplesPerPixel }, (_, i) => i);
  for (const i of ids) {
    const table = tableAt(bytes, oldJpeg.quantizationTables[i], quantizationBytes);
    out.push(...segment(marker.quantizationTables, [i, ...table]));
  }
  for (const [kind, tables] of [oldJpeg.dcTables, oldJpeg.acTables].entries()) {
    for (const i of ids) {
      const counts = tableAt(bytes, tables[i], codeLengths);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const table = tableAt(bytes, tables[i], codeLengths + total);
      out.push(...segment(marker.huffmanTables, [(kind << 4) | i, ...table]));
    }
  }
  if (directory.offsets.length > 1) out.push(...restartInterval(directory));
  const sampling = samplesPerPixel === 1 ? 0x11 : (chromaSubsampling[0]! << 4) | chromaSubsampling[1]!;
  const components = ids.flatMap((i) => [i + 1, i === 0 ? sampling : 0x11, i]);
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  out.push(...segment(marker.startOfFrameBaseline, [8, ...size, samplesPerPixel, ...components]));
  const selectors = ids.flatMap((i) => [i + 1, (i << 4) | i]);
  out.push(...segment(marker.startOfScan, [samplesPerPixel, ...selectors, 0, 63, 0]));
  return Uint8Array.from(out);
}

function tableAt(bytes: Uint8Array, offset: number | undefined, length: number): Uint8Array {
  if (offset === undefined || offset === 0) throw malformed('tiff', 'a JPEG table is missing');
  if (offset + length > bytes.length) throw truncated('tiff', 'inside a JPEG table');
  return bytes.subarray(offset, offset + length);
}

/** A restart behind each strip. */
function restartInterval({
  width,
  segmentHeight,
  samplesPerPixel,
  chromaSubsampling,
}: TiffDirectory): Uint8Array {
  const [h, v] = samplesPerPixel === 1 ? [1, 1] : chromaSubsampling;
  const mcus = Math.ceil(width / (8 * h)) * Math.floor(segmentHeight / (8 * v));
  if (mcus > 0xffff) throw malformed('tiff', `strips of ${mcus} JPEG blocks`);
  return Uint8Array.from(segment(marker.restartInterval, [mcus >> 8, mcus & 255]));
}

function segment(code: number, payload: readonly number[]): number[] {
  const length = payload.length + 2;
  return [0xff, code, length >> 8, length & 255, ...payload];
}
