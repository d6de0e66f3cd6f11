import { malformed, truncated } from '../../image-error.ts';
import { declaredLength, type RiffChunk, riffChunks } from './riff.ts';

/** Bytes before the chunks of an ANMF payload: position, size, duration, flags. */
const frameHeaderBytes = 16;
const riffHeaderBytes = 12;
const chunkHeaderBytes = 8;

/** The first image of a WebP, and where it lies on the canvas. */
export interface StillImage {
  /** Its "VP8 " (lossy) or "VP8L" (lossless) chunk. Alpha of a lossy image stands in a chunk of its own. */
  readonly chunk: RiffChunk;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The image of a still file, or the first frame of an animation.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated` if the file is cut anywhere.
 * @see RFC 9649 section 2.7.1.1 (ANIM and ANMF chunks)
 */
export function toStillImage(bytes: Uint8Array): StillImage {
  if (declaredLength(bytes) > bytes.length) throw truncated('webp', 'before the end that it declares');
  let canvas: { width: number; height: number } | undefined;
  for (const chunk of riffChunks(bytes)) {
    const { type, start } = chunk;
    if (type === 'VP8X' && start + 10 <= bytes.length) {
      canvas = { width: uint24(bytes, start + 4) + 1, height: uint24(bytes, start + 7) + 1 };
    } else if (type === 'VP8 ' || type === 'VP8L') {
      if (!chunk.complete) throw truncated('webp', 'inside its pixel data');
      return { chunk, left: 0, top: 0, ...(canvas ?? sizeOf(bytes, chunk)) };
    } else if (type === 'ANMF') {
      if (!chunk.complete) throw truncated('webp', 'inside its first frame');
      return toStillFrame(bytes, chunk);
    }
  }
  throw truncated('webp', 'before its pixel data');
}

function toStillFrame(bytes: Uint8Array, { start, end }: RiffChunk): StillImage {
  if (end - start < frameHeaderBytes) throw malformed('webp', 'its first frame has no header');
  for (const chunk of riffChunks(bytes, start + frameHeaderBytes, end)) {
    if (chunk.type !== 'VP8 ' && chunk.type !== 'VP8L') continue;
    if (!chunk.complete) throw malformed('webp', 'its first frame is larger than its chunk');
    return {
      chunk,
      left: uint24(bytes, start) * 2,
      top: uint24(bytes, start + 3) * 2,
      width: uint24(bytes, start + 6) + 1,
      height: uint24(bytes, start + 9) + 1,
    };
  }
  throw malformed('webp', 'its first frame has no image');
}

/** A lossless image as a file of its own: no other chunk changes its pixels. */
export function toLosslessFile(bytes: Uint8Array, { start, end }: RiffChunk): Uint8Array {
  const length = end - start;
  const file = new Uint8Array(riffHeaderBytes + chunkHeaderBytes + length + (length & 1));
  const view = new DataView(file.buffer);
  writeAscii(file, 0, 'RIFF');
  view.setUint32(4, file.length - chunkHeaderBytes, true);
  writeAscii(file, 8, 'WEBPVP8L');
  view.setUint32(16, length, true);
  file.set(bytes.subarray(start, end), riffHeaderBytes + chunkHeaderBytes);
  return file;
}

/** In range: `parseWebpHeader` has seen so much of the first image's chunk. */
function sizeOf(bytes: Uint8Array, { type, start }: RiffChunk): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  if (type === 'VP8L') {
    const bits = view.getUint32(1, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
}

/** The index is in range, because the caller has checked that the header is whole. */
function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

function writeAscii(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}
