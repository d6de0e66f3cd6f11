import { CodedError } from '../../../errors.ts';
import { dav1dHeapBytes, maxAvifBytes } from '../../../limits.ts';
import type { PixelWindow, RowSink } from '../../image.ts';
import { malformed } from '../../image-error.ts';
import type { StillImage } from '../../isobmff/parse-still-image.ts';
import { Dav1d, type Dav1dFrame } from './dav1d.ts';
import type { AvifPicture } from './picture.ts';
import type { PlainPicture } from './plain-picture.ts';
import { countBandBytes, TileBand } from './tile-band.ts';
import { writeRows } from './write-rows.ts';

/** A `WebAssembly.Module` of `ogv/dist/ogv-decoder-video-av1-wasm.wasm`; asked for only if an image needs it. */
export type Dav1dModuleLoader = () => WebAssembly.Module | Promise<WebAssembly.Module>;

/**
 * Decodes a plain AVIF with dav1d. The rows of a single picture are read where dav1d has put it. Of a grid, the tiles
 * that the sink wants are decoded one by one, and one row of tiles is in memory.
 *
 * @throws {CodedError} `image_too_many_pixels`, `image_malformed`, `image_format_unsupported`.
 */
export async function decodePlain(
  picture: PlainPicture,
  still: StillImage,
  sink: RowSink,
  loadModule: Dav1dModuleLoader,
): Promise<void> {
  const { isGrid, width, height } = still;
  const whole = { left: 0, top: 0, right: width, bottom: height };
  const tiles = isGrid ? findTiles(still, sink.window) : { ...whole, right: 1, bottom: 1 };
  const maxHeapBytes = assertFits(picture, still, tiles);
  const decoder = new Dav1d(await loadModule(), maxHeapBytes);
  if (!isGrid) {
    decoder.decode(picture.parts[0]!, (frame) => {
      assertSize(frame, still);
      writeRows(toPicture(picture, still, frame.planes), sink, sink.window);
    });
    return;
  }
  decodeTiles(decoder, picture, still, tiles, sink);
}

function decodeTiles(
  decoder: Dav1d,
  picture: PlainPicture,
  still: StillImage,
  tiles: PixelWindow,
  sink: RowSink,
): void {
  const { width, height, tileWidth, tileHeight } = still;
  const { window } = sink;
  const columns = Math.ceil(width / tileWidth);
  const band = new TileBand(tileWidth, tileHeight, tiles);
  for (let row = tiles.top, top = window.top; row < tiles.bottom; row++) {
    band.startRow(row);
    for (let column = tiles.left; column < tiles.right; column++) {
      decoder.decode(picture.parts[row * columns + column]!, (frame) => {
        assertSize(frame, still);
        band.put(column, frame.planes);
      });
    }
    const end = (row + 1) * tileHeight;
    // Chroma of the last row is interpolated with that of the row below it, which is in the next tile.
    const bottom = Math.min(window.bottom, end < height ? end - 1 : height);
    if (bottom <= top) continue;
    writeRows(toPicture(picture, still, band.planes), sink, { ...window, top, bottom });
    top = bottom;
  }
}

/** The tiles of which samples are needed: chroma is interpolated with that of one more pixel pair around. */
function findTiles({ width, height, tileWidth, tileHeight }: StillImage, window: PixelWindow): PixelWindow {
  return {
    left: Math.floor(Math.max(0, window.left - 2) / tileWidth),
    right: Math.ceil(Math.min(width, window.right + 2) / tileWidth),
    top: Math.floor(Math.max(0, window.top - 2) / tileHeight),
    bottom: Math.ceil(Math.min(height, window.bottom + 2) / tileHeight),
  };
}

/**
 * Refuses what would not fit, before anything is allocated.
 *
 * @returns the most that dav1d's heap may take.
 */
function assertFits({ parts, hasFilmGrain }: PlainPicture, still: StillImage, tiles: PixelWindow): number {
  const { width, height, isGrid, tileWidth, tileHeight } = still;
  const { base, first, perPixel } = dav1dHeapBytes;
  // A tile is held while the next one is decoded.
  const pictures = (hasFilmGrain ? 2 : 1) * (isGrid ? 2 : 1);
  const data = parts.reduce((most, { length }) => Math.max(most, length), 0);
  const decoding = tileWidth * tileHeight * (perPixel.picture * pictures + perPixel.blocks);
  const kept = isGrid ? countBandBytes(tileWidth, tileHeight, tiles) : 0;
  const needed = Math.max(first, base + data + decoding) + kept;
  if (needed <= maxAvifBytes) return maxAvifBytes - kept;
  throw new CodedError(
    'image_too_many_pixels',
    `The AVIF declares ${width} x ${height} pixels, decoded in parts of ${tileWidth} x ${tileHeight}, which takes about ` +
      `${Math.ceil(needed / 1e6)} MB; at most ${Math.floor(maxAvifBytes / 1e6)} MB are given to it.`,
  );
}

function assertSize({ width, height }: Dav1dFrame, { tileWidth, tileHeight }: StillImage): void {
  if (width !== tileWidth || height !== tileHeight) throw malformed('avif', 'its headers disagree');
}

function toPicture(
  { colours }: PlainPicture,
  { width, height }: StillImage,
  planes: AvifPicture['planes'],
): AvifPicture {
  // Of 8 bits and 4:2:0, alpha changes no colour unless colours are multiplied by it.
  return {
    width,
    height,
    depth: 8,
    layout: '4:2:0',
    ...colours,
    planes,
    hasAlpha: false,
    premultipliedBy: undefined,
  };
}
