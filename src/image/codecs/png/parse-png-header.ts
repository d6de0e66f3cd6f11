import { parseExifOrientation, parseXmpOrientation } from '../../exif-orientation.ts';
import type { ImageHeader, Orientation } from '../../image.ts';
import { parsePngSize } from './chunks.ts';
import { parseRawProfile, readText, type TextChunk, toTextChunk } from './text-chunks.ts';
import { ChunkWalker, chunkType } from './walk-chunks.ts';

const xmpKeyword = 'XML:com.adobe.xmp';
const exifKeyword = 'exif';
const rawExifKeyword = 'Raw profile type exif';

/** The last readable text of several counts; so many are tried. */
const maxTextsTried = 4;

/**
 * Reads IHDR, then walks the chunks for an orientation, which may stand after the pixels.
 *
 * @param bytes a file that begins with the PNG signature.
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see PNG third edition, 11.2.1 IHDR and 11.3.4.5 eXIf
 */
export function parsePngHeader(bytes: Uint8Array): ImageHeader {
  const { width, height } = parsePngSize(bytes);
  return { format: 'png', width, height, orientation: findOrientation(bytes) };
}

/**
 * Exif counts before what ImageMagick wrote as text, and both before XMP. A later chunk counts before an earlier one.
 *
 * @see Pillow src/PIL/Image.py, `getexif`, and src/PIL/PngImagePlugin.py, `chunk_eXIf`, `chunk_tEXt` and the like
 */
function findOrientation(bytes: Uint8Array): Orientation {
  let exif: Uint8Array | undefined;
  const rawProfiles: TextChunk[] = [];
  const packets: TextChunk[] = [];
  const chunks = new ChunkWalker(bytes);
  while (chunks.next()) {
    if (chunks.type === chunkType.exif) exif = bytes.subarray(chunks.start, chunks.end);
    const text = toTextChunk(bytes, chunks);
    if (text === undefined) continue;
    if (text.keyword === xmpKeyword) keepLast(packets, text);
    else if (text.keyword === rawExifKeyword) keepLast(rawProfiles, text);
    else if (text.keyword === exifKeyword && text.type === chunkType.text) exif = text.data;
  }
  const fromExif = exif === undefined ? readRawExif(rawProfiles) : parseExifOrientation(exif);
  const packet = readLast(packets);
  return fromExif ?? (packet && parseXmpOrientation(packet)) ?? 1;
}

function readRawExif(rawProfiles: readonly TextChunk[]): Orientation | undefined {
  const text = readLast(rawProfiles);
  const profile = text && parseRawProfile(text);
  return profile && parseExifOrientation(profile);
}

/** The last readable one of several. */
function readLast(texts: readonly TextChunk[]): Uint8Array | undefined {
  for (const text of texts.toReversed()) {
    const content = readText(text);
    if (content !== undefined) return content;
  }
  return undefined;
}

function keepLast(texts: TextChunk[], text: TextChunk): void {
  texts.push(text);
  if (texts.length > maxTextsTried) texts.shift();
}
