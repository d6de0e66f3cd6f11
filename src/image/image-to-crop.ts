import { CodedError } from '../errors.ts';
import { type ImageWarning, imageWarnings, type Warn } from '../warnings.ts';
import { decodeBmp } from './codecs/bmp/decode-bmp.ts';
import { decodeGif } from './codecs/gif/decode-gif.ts';
import { decodeJpeg, type JpegOutputSide } from './codecs/jpeg/decode-jpeg.ts';
import { decodePng } from './codecs/png/decode-png.ts';
import { decodeTiff } from './codecs/tiff/decode-tiff.ts';
import type { WebpModuleLoader } from './codecs/webp/decode-lossless.ts';
import { decodeWebp } from './codecs/webp/decode-webp.ts';
import type { ImageHeader, OptionalDecoder, RowSink } from './image.ts';
import { malformed } from './image-error.ts';
import type { PixelArena, PixelRoutines } from './pixel-arena.ts';
import type { PreprocessSpec } from './preprocess-spec.ts';
import { parseImageHeader } from './probe.ts';
import { createCropResampler } from './resample/crop-resampler.ts';
import type { CropSink } from './resample/crop-sink.ts';

export interface ImageOptions {
  /** Whether the image is turned upright as its metadata says. Default: 'apply'. */
  readonly orientation?: 'apply' | 'ignore';
  /** Trade exactness for speed where a file allows it. Default: false. */
  readonly fast?: boolean;
  /** Refuses what would otherwise be shown with a warning. Default: false. */
  readonly strict?: boolean;
  /** Called when a stage begins, so that a caller can time it. */
  readonly onStage?: (stage: ImageStage) => void;
  /** Without it, lossless WebP is refused. Called for such images alone. */
  readonly loadWebpModule?: WebpModuleLoader;
  /** Without it, HEIC is refused: codecs/heic makes one. */
  readonly decodeHeic?: OptionalDecoder | undefined;
  /** Without it, AVIF is refused: codecs/avif makes one. */
  readonly decodeAvif?: OptionalDecoder | undefined;
  /** Makes the pixel work faster; every byte stays the same. */
  readonly routines?: PixelRoutines | undefined;
}

/** Pixels of a JPEG block, per side. */
export const fullSide = 8;
/** A reduced image must keep this many times the pixels that the crop is made from. */
const minOversampling = 2;

export type ImageStage = 'probe' | 'decode';

export interface ImageCrop {
  readonly header: ImageHeader;
  /** False if the crop is byte-identical to Pillow's; true if a reduced mode made it. */
  readonly approximate: boolean;
  /** RGB uint8, HWC, centerCrop x centerCrop. */
  readonly crop: Uint8Array;
  /** What is wrong with the file, though it is shown. */
  readonly warnings: readonly ImageWarning[];
}

/**
 * Image bytes to the pixels a model sees: shorter side resized, centre cut out, as Pillow does it.
 *
 * @param bytes the whole file; its format is recognised from its first bytes.
 * @throws {CodedError} with one of the `image_*` codes, whatever the bytes are.
 */
export async function decodeToCrop(
  bytes: Uint8Array,
  spec: PreprocessSpec,
  options: ImageOptions = {},
): Promise<ImageCrop> {
  const { header, approximate, pixels, warnings } = await decodeResampled(bytes, options, (stored) => {
    const side =
      options.fast === true && stored.format === 'jpeg' ? chooseReducedSide(stored, spec) : fullSide;
    return {
      side,
      createSink: (arena) => createCropResampler(stored, spec, fullSide / side, arena),
    };
  });
  return { header, approximate, crop: pixels, warnings };
}

/** What is made of an image, once its header is known. */
interface DecodePlan {
  /** Pixels that a JPEG's block is decoded to, a side. */
  readonly side: JpegOutputSide;
  createSink(arena: PixelArena | undefined): CropSink;
}

/**
 * Decodes an image into a resampler.
 *
 * @param plan is given the header, with orientation 1 where the caller ignores it.
 * @returns `pixels`: RGB uint8, HWC, as large as the resampler's crop.
 * @throws {CodedError} as `decodeToCrop`.
 */
export async function decodeResampled(
  bytes: Uint8Array,
  options: ImageOptions,
  plan: (header: ImageHeader) => DecodePlan,
): Promise<Omit<ImageCrop, 'crop'> & { readonly pixels: Uint8Array }> {
  options.onStage?.('probe');
  const stored = parseImageHeader(bytes);
  // How a HEIC is turned belongs to its pixels, in its standard and in Pillow; elsewhere it is metadata.
  const isIgnored = options.orientation === 'ignore' && stored.format !== 'heic';
  const header: ImageHeader = isIgnored ? { ...stored, orientation: 1 } : stored;

  options.onStage?.('decode');
  const { side, createSink } = plan(header);
  const arena = options.routines?.borrow();
  try {
    const resampler = createSink(arena);
    const warnings = new Set<ImageWarning>();
    const warn = (warning: ImageWarning) => {
      if (options.strict === true) throw malformed(header.format, imageWarnings[warning]);
      warnings.add(warning);
    };
    const { approximate } = await decode(bytes, header, resampler, side, options, warn, arena);
    if (!resampler.complete) {
      throw new CodedError('image_truncated', 'The image ends before the last row that is needed.');
    }
    return { header, approximate, pixels: resampler.crop, warnings: [...warnings] };
  } finally {
    arena?.release();
  }
}

/** The strongest reduction that leaves the resampler enough to average; none for small images. */
function chooseReducedSide({ width, height }: ImageHeader, spec: PreprocessSpec): JpegOutputSide {
  const shortSide = Math.min(width, height);
  const sides = [1, 2, 4] as const;
  return (
    sides.find((side) => (shortSide * side) / fullSide >= minOversampling * spec.resizeShortestEdge) ??
    fullSide
  );
}

async function decode(
  bytes: Uint8Array,
  header: ImageHeader,
  sink: RowSink,
  side: JpegOutputSide,
  options: ImageOptions,
  warn: Warn,
  arena: PixelArena | undefined,
): Promise<{ approximate: boolean }> {
  const exact = { approximate: false };
  switch (header.format) {
    case 'jpeg':
      decodeJpeg(bytes, sink, { side, arena, warn });
      return { approximate: side < fullSide };
    case 'png':
      decodePng(bytes, sink, warn, arena);
      return exact;
    case 'gif':
      decodeGif(bytes, sink);
      return exact;
    case 'bmp':
      decodeBmp(bytes, sink);
      return exact;
    case 'tiff':
      decodeTiff(bytes, sink, warn, arena);
      return exact;
    case 'webp':
      await decodeWebp(bytes, header, sink, options.loadWebpModule, arena);
      return exact;
    case 'avif':
      await assertDeployed(options.decodeAvif, 'AVIF')(bytes, sink);
      return exact;
    case 'heic':
      await assertDeployed(options.decodeHeic, 'HEIC')(bytes, sink);
      return exact;
  }
}

function assertDeployed(decoder: OptionalDecoder | undefined, name: string): OptionalDecoder {
  if (decoder) return decoder;
  throw new CodedError(
    'image_format_unsupported',
    `${name} images are not decoded here. Convert the image to JPEG, PNG or WebP first ` +
      '(on iPhones: Settings, Camera, Formats, Most Compatible).',
  );
}
