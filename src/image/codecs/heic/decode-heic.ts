import { CodedError } from '../../../errors.ts';
import {
  heicBytesPerTilePixel,
  heicHeapBaseBytes,
  maxHeicCodedBytes,
  maxHeicHeapBytes,
} from '../../../limits.ts';
import type { OptionalDecoder, RowSink } from '../../image.ts';
import { malformed, tooComplex } from '../../image-error.ts';
import { parseStillImage, type StillImage } from '../../isobmff/parse-still-image.ts';
import { HeicFile, type HeicModules, type HeicPixels } from './libheif.ts';

/** Asked for only if an image needs them. */
export type HeicModuleLoader = () => HeicModules | Promise<HeicModules>;

/**
 * What a deployment adds to its decoders: `decodeHeic` with the modules as its runtime loads them.
 *
 * @param maxHeapBytes of libheif, for one image.
 */
export function createHeicDecoder(
  loadModules: HeicModuleLoader,
  maxHeapBytes: number = maxHeicHeapBytes,
): OptionalDecoder {
  return (bytes, sink) => decodeHeic(bytes, sink, loadModules, maxHeapBytes);
}

/**
 * Decodes a HEIC with libheif compiled to WebAssembly. A phone's photo is a grid of small tiles: those that the sink
 * wants are decoded one by one, and a row of them is all that stands in memory. The picture is not turned.
 *
 * @throws {CodedError} `image_too_many_pixels`, `image_too_complex`, `image_malformed`, `image_truncated`,
 *   `image_format_unsupported`.
 * @see ISO/IEC 23008-12 (HEIF), ITU-T H.265 (HEVC)
 */
export async function decodeHeic(
  bytes: Uint8Array,
  sink: RowSink,
  loadModules: HeicModuleLoader,
  maxHeapBytes: number = maxHeicHeapBytes,
): Promise<void> {
  const picture = parseStillImage(bytes, 'heic');
  assertFits(bytes, picture, sink, maxHeapBytes);
  const file = new HeicFile(await loadModules(), bytes, maxHeapBytes);
  if (picture.isGrid) assertAgrees(file, picture);
  const { crop } = picture;
  const { window } = sink;
  const columns = tilesOf(crop.left + window.left, crop.left + window.right, picture.tileWidth);
  const rows = tilesOf(crop.top + window.top, crop.top + window.bottom, picture.tileHeight);
  const rgb = new Uint8Array(window.right * 3);
  for (let row = rows.first; row < rows.end; row++) {
    const tiles = new Map<number, HeicPixels>();
    for (let column = columns.first; column < columns.end; column++) {
      tiles.set(column, decodePart(file, picture, column, row));
    }
    const top = row * picture.tileHeight - crop.top;
    const end = Math.min(window.bottom, top + picture.tileHeight);
    for (let y = Math.max(window.top, top); y < end; y++) {
      for (const [column, tile] of tiles) {
        const left = column * picture.tileWidth - crop.left;
        const from = Math.max(window.left, left);
        const to = Math.min(window.right, left + picture.tileWidth);
        tile.copyRow(y - top, from - left, to - left, rgb, from * 3);
      }
      sink.writeRow(rgb, y);
    }
    for (const tile of tiles.values()) tile.release();
  }
}

/** The tiles that pixels [start, end) lie in. */
function tilesOf(start: number, end: number, size: number): { readonly first: number; readonly end: number } {
  return { first: Math.floor(start / size), end: Math.ceil(end / size) };
}

/** Refuses what would not fit, before anything is allocated. */
function assertFits(bytes: Uint8Array, picture: StillImage, { window }: RowSink, maxHeapBytes: number): void {
  const { tileWidth, tileHeight, crop, codedBytes } = picture;
  if (codedBytes > maxHeicCodedBytes(bytes.length)) throw tooComplex('heic', 'its tiles share their data');
  const columns = tilesOf(crop.left + window.left, crop.left + window.right, tileWidth);
  // One tile is decoded while those of its row are kept as RGB.
  const tilePixels = tileWidth * tileHeight;
  const needed =
    heicHeapBaseBytes +
    bytes.length +
    tilePixels *
      (heicBytesPerTilePixel.decoding + (columns.end - columns.first) * heicBytesPerTilePixel.kept);
  if (needed <= maxHeapBytes) return;
  throw new CodedError(
    'image_too_many_pixels',
    `The HEIC is decoded in parts of ${tileWidth} x ${tileHeight} pixels, which takes about ` +
      `${Math.ceil(needed / 1e6)} MB; at most ${Math.floor(maxHeapBytes / 1e6)} MB are given to it.`,
  );
}

/** What the memory was reckoned with has to be what libheif reads. */
function assertAgrees(file: HeicFile, picture: StillImage): void {
  const tiling = file.readTiling();
  const agrees =
    tiling.width === picture.width &&
    tiling.height === picture.height &&
    tiling.tileWidth === picture.tileWidth &&
    tiling.tileHeight === picture.tileHeight &&
    tiling.columns * tiling.tileWidth >= picture.width &&
    tiling.rows * tiling.tileHeight >= picture.height;
  if (!agrees) throw malformed('heic', 'its headers disagree');
}

function decodePart(file: HeicFile, picture: StillImage, column: number, row: number): HeicPixels {
  const part = picture.isGrid ? file.decodeTile(column, row) : file.decodeWhole();
  if (part.width < picture.tileWidth || part.height < picture.tileHeight) {
    throw malformed('heic', 'it has fewer pixels than it declares');
  }
  return part;
}
