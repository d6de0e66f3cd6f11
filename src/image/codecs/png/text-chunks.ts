import { maxInflatedTextBytes } from '../../../limits.ts';
import { inflateAll } from '../../inflate/inflate-all.ts';
import { type ChunkWalker, chunkType } from './walk-chunks.ts';

const deflateMethod = 0;

/** A chunk of text, its keyword read and nothing else. */
export interface TextChunk {
  readonly keyword: string;
  readonly type: number;
  /** What follows the keyword and its zero. */
  readonly data: Uint8Array;
}

/** No keyword that means something is longer. */
const maxKeywordBytes = 79;

/** @returns undefined if the chunk at hand holds no text, or no keyword that may be one. */
export function toTextChunk(bytes: Uint8Array, { type, start, end }: ChunkWalker): TextChunk | undefined {
  if (type !== chunkType.text && type !== chunkType.compressedText && type !== chunkType.internationalText) {
    return undefined;
  }
  const data = bytes.subarray(start, end);
  const keywordEnd = data.subarray(0, maxKeywordBytes + 1).indexOf(0);
  if (keywordEnd < 1) return undefined;
  const keyword = String.fromCharCode(...data.subarray(0, keywordEnd));
  return { keyword, type, data: data.subarray(keywordEnd + 1) };
}

/**
 * The text of a chunk as it is encoded, inflated where it is compressed.
 *
 * @returns undefined if it cannot be read.
 * @see PNG third edition, 11.3.3 (textual information)
 */
export function readText({ type, data }: TextChunk): Uint8Array | undefined {
  if (type === chunkType.text) return data;
  if (type === chunkType.compressedText) {
    return data[0] === deflateMethod ? inflateAll(data.subarray(1), maxInflatedTextBytes) : undefined;
  }
  // Compression flag and method; language and translated keyword, each with a zero behind it.
  const languageEnd = data.indexOf(0, 2);
  const textStart = data.indexOf(0, languageEnd + 1) + 1;
  if (data.length < 2 || languageEnd < 0 || textStart === 0) return undefined;
  const text = data.subarray(textStart);
  if (data[0] === 0) return text;
  return data[1] === deflateMethod ? inflateAll(text, maxInflatedTextBytes) : undefined;
}

const newline = 0x0a;

/**
 * The bytes of a profile that ImageMagick wrote as text: an empty line, what it is, its length, hexadecimal digits.
 *
 * @returns undefined if it is none.
 * @see ImageMagick coders/png.c, `Magick_png_write_raw_profile`
 */
export function parseRawProfile(text: Uint8Array): Uint8Array | undefined {
  let start = 0;
  for (let line = 0; line < 3; line++) {
    start = text.indexOf(newline, start) + 1;
    if (start === 0) return undefined;
  }
  const profile = new Uint8Array((text.length - start) >> 1);
  let digits = 0;
  for (let i = start; i < text.length; i++) {
    const digit = toHexDigit(text[i]!);
    if (digit === undefined) continue;
    if (digit < 0) return undefined;
    profile[digits >> 1] = (profile[digits >> 1]! << 4) | digit;
    digits++;
  }
  return digits % 2 === 0 ? profile.subarray(0, digits >> 1) : undefined;
}

/** @returns undefined for white space, -1 for what is neither. */
function toHexDigit(code: number): number | undefined {
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) return undefined;
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? -1 : digit;
}
