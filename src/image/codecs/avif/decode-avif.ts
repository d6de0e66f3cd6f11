import { CodedError } from '../../../errors.ts';
import { avifBaseBytes, avifBytesPerPixel, maxAvifBytes } from '../../../limits.ts';
import type { OptionalDecoder, RowSink } from '../../image.ts';
import { parseStillImage, type StillImage } from '../../isobmff/parse-still-image.ts';
import { type AvifModules, decodePicture } from './libavif.ts';
import { toRgbRows } from './to-rgb-rows.ts';

/** Asked for only if an image needs them. */
export type AvifModuleLoader = () => AvifModules | Promise<AvifModules>;

/** What a deployment adds to its decoders: `decodeAvif` with the modules as its runtime loads them. */
export function createAvifDecoder(loadModules: AvifModuleLoader): OptionalDecoder {
  return (bytes, sink) => decodeAvif(bytes, sink, loadModules);
}

/**
 * Decodes an AVIF with libavif compiled to WebAssembly. It decodes whole frames, so its pixels are capped by memory. The
 * pixels that the sink wants are converted to RGB, row by row, as Pillow does it. Each call has an instance of its own,
 * whose heap is freed with it. The picture is not turned.
 *
 * @throws {CodedError} `image_too_many_pixels`, `image_malformed`, `image_truncated`, `image_format_unsupported`.
 * @see AV1 Image File Format (AVIF)
 */
export async function decodeAvif(
  bytes: Uint8Array,
  sink: RowSink,
  loadModules: AvifModuleLoader,
): Promise<void> {
  const still = parseStillImage(bytes, 'avif');
  assertFits(bytes, still);
  const picture = await decodePicture(await loadModules(), bytes, still, maxAvifBytes);
  const { window } = sink;
  const convertRow = toRgbRows(picture, window);
  const rgb = new Uint8Array(window.right * 3);
  const clamped = new Uint8ClampedArray(rgb.buffer);
  for (let y = window.top; y < window.bottom; y++) {
    convertRow(y, clamped);
    sink.writeRow(rgb, y);
  }
}

/** Refuses what would not fit, before anything is allocated. */
function assertFits(bytes: Uint8Array, { width, height, isGrid, tileWidth, tileHeight }: StillImage): void {
  const { decoding, kept } = avifBytesPerPixel;
  const needed =
    avifBaseBytes + bytes.length + decoding * tileWidth * tileHeight + (isGrid ? kept * width * height : 0);
  if (needed <= maxAvifBytes) return;
  throw new CodedError(
    'image_too_many_pixels',
    `The AVIF declares ${width} x ${height} pixels, decoded in parts of ${tileWidth} x ${tileHeight}, which takes about ` +
      `${Math.ceil(needed / 1e6)} MB; at most ${Math.floor(maxAvifBytes / 1e6)} MB are given to it.`,
  );
}
