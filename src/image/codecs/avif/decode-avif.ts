import { CodedError } from '../../../errors.ts';
import { avifBaseBytes, avifBytesPerPixel, maxAvifBytes, maxAvifCodedBytes } from '../../../limits.ts';
import type { OptionalDecoder, RowSink } from '../../image.ts';
import { tooComplex } from '../../image-error.ts';
import { parseStillImage, type StillImage } from '../../isobmff/parse-still-image.ts';
import { type Dav1dModuleLoader, decodePlain } from './decode-plain.ts';
import { type AvifModules, decodePicture } from './libavif.ts';
import { findPlainPicture } from './plain-picture.ts';
import { writeRows } from './write-rows.ts';

/** Each is asked for only if an image needs it. */
export interface AvifModuleLoaders {
  readonly loadDav1d: Dav1dModuleLoader;
  readonly loadLibavif: () => AvifModules | Promise<AvifModules>;
}

/** What a deployment adds to its decoders: `decodeAvif` with the modules as its runtime loads them. */
export function createAvifDecoder(loaders: AvifModuleLoaders): OptionalDecoder {
  return (bytes, sink) => decodeAvif(bytes, sink, loaders);
}

/**
 * Decodes an AVIF: of 8 bits and 4:2:0 with dav1d, all others with libavif and libaom, which take more time and memory.
 * Both are compiled to WebAssembly and decode whole frames, so pixels are capped by memory. The pixels that the sink
 * wants are converted to RGB, row by row, as Pillow does it. Each call has an instance of its own, whose heap is freed
 * with it. The picture is not turned.
 *
 * @throws {CodedError} `image_too_many_pixels`, `image_too_complex`, `image_malformed`, `image_truncated`,
 *   `image_format_unsupported`.
 * @see AV1 Image File Format (AVIF)
 */
export async function decodeAvif(
  bytes: Uint8Array,
  sink: RowSink,
  { loadDav1d, loadLibavif }: AvifModuleLoaders,
): Promise<void> {
  const still = parseStillImage(bytes, 'avif');
  const plain = findPlainPicture(bytes, still);
  if (plain && still.codedBytes > maxAvifCodedBytes(bytes.length))
    throw tooComplex('avif', 'its tiles share their data');
  if (plain) return decodePlain(plain, still, sink, loadDav1d);
  assertFits(bytes, still);
  writeRows(await decodePicture(await loadLibavif(), bytes, still, maxAvifBytes), sink, sink.window);
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
