import { malformed, truncated } from '../../image-error.ts';
import { declaredLength, type RiffChunk, riffChunks } from './riff.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Bytes before the chunks of an ANMF payload: position, size, duration, flags. */
const frameHeaderBytes = 16;
const riffHeaderBytes = 12;
const extendedChunkBytes = 18;
const hasAlphaFlag = 0x10;

/** A still WebP file, and where it lies on the canvas. */
export interface StillImage {
  readonly file: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** True for VP8 without alpha, which takes the least memory. */
  readonly isPlainLossy: boolean;
}

/**
 * The first image of a WebP as a file of its own. A still file is returned as it is. The chunks of an animation's
 * first frame are wrapped anew: nothing else tells a frame from a still.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated` if the file is cut anywhere.
 * @see RFC 9649 section 2.7.1.1 (ANIM and ANMF chunks)
 */
export function toStillImage(bytes: Uint8Array): StillImage {
  if (declaredLength(bytes) > bytes.length) throw truncated('webp', 'before the end that it declares');
  let canvas: { width: number; height: number } | undefined;
  let hasAlpha = false;
  for (const chunk of riffChunks(bytes)) {
    const { type, start } = chunk;
    if (type === 'VP8X' && start + 10 <= bytes.length) {
      canvas = { width: uint24(bytes, start + 4) + 1, height: uint24(bytes, start + 7) + 1 };
    } else if (type === 'ALPH') {
      hasAlpha = true;
    } else if (type === 'VP8 ' || type === 'VP8L') {
      if (!chunk.complete) throw truncated('webp', 'inside its pixel data');
      const isPlainLossy = type === 'VP8 ' && !hasAlpha;
      return { file: bytes, left: 0, top: 0, ...(canvas ?? sizeOf(bytes, chunk)), isPlainLossy };
    } else if (type === 'ANMF') {
      if (!chunk.complete) throw truncated('webp', 'inside its first frame');
      return toStillFrame(bytes, chunk);
    }
  }
  throw truncated('webp', 'before its pixel data');
}

function toStillFrame(bytes: Uint8Array, { start, end }: RiffChunk): StillImage {
  if (end - start < frameHeaderBytes) throw malformed('webp', 'its first frame has no header');
  const left = uint24(bytes, start) * 2;
  const top = uint24(bytes, start + 3) * 2;
  const width = uint24(bytes, start + 6) + 1;
  const height = uint24(bytes, start + 9) + 1;
  const chunks = bytes.subarray(start + frameHeaderBytes, end);

  const file = new Uint8Array(riffHeaderBytes + extendedChunkBytes + chunks.length);
  const view = new DataView(file.buffer);
  writeAscii(file, 0, 'RIFF');
  view.setUint32(4, file.length - 8, true);
  writeAscii(file, 8, 'WEBPVP8X');
  view.setUint32(16, extendedChunkBytes - 8, true);
  const hasAlpha = chunks[0] === 0x41; // "ALPH" comes first where there is one
  file[20] = hasAlpha ? hasAlphaFlag : 0;
  writeUint24(file, 24, width - 1);
  writeUint24(file, 27, height - 1);
  file.set(chunks, riffHeaderBytes + extendedChunkBytes);
  const isPlainLossy = chunks[3] === 0x20; // "VP8 " at once, not "ALPH" or "VP8L"
  return { file, left, top, width, height, isPlainLossy };
}

function sizeOf(bytes: Uint8Array, { type, start }: RiffChunk): { width: number; height: number } {
  if (type === 'VP8L') {
    const bits =
      bytes[start + 1]! | (bytes[start + 2]! << 8) | (bytes[start + 3]! << 16) | (bytes[start + 4]! << 24);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return {
    width: (bytes[start + 6]! | (bytes[start + 7]! << 8)) & 0x3fff,
    height: (bytes[start + 8]! | (bytes[start + 9]! << 8)) & 0x3fff,
  };
}

function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

function writeUint24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255;
  bytes[at + 1] = (value >> 8) & 255;
  bytes[at + 2] = value >> 16;
}

function writeAscii(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}
