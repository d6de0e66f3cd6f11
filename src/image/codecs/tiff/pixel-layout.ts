import { malformed, unsupported } from '../../image-error.ts';
import { type TiffDirectory, tiffCompression, tiffPhotometric, tiffSampleFormat } from './directory.ts';

const maxSamplesPerPixel = 8;
/** With more bits a predictor adds words. */
const predictableBits: readonly number[] = [8, 16, 32];

/** Samples of a pixel that say its colour; those behind them are alpha or nothing. */
export function colourSamples({ photometric, samplesPerPixel, extraSample }: TiffDirectory): number {
  switch (photometric) {
    case tiffPhotometric.cmyk:
      return 4;
    case tiffPhotometric.rgb:
      // Colours that were multiplied with alpha need it.
      return extraSample === 1 && samplesPerPixel > 3 ? 4 : 3;
    case tiffPhotometric.cieLab:
    case tiffPhotometric.yCbCr:
      return Math.min(3, samplesPerPixel);
    default:
      return 1;
  }
}

/** Samples side by side in a segment. */
export function samplesInSegment({ planarConfiguration, samplesPerPixel }: TiffDirectory): number {
  return planarConfiguration === 2 ? 1 : samplesPerPixel;
}

function isJpeg(compression: number): boolean {
  return compression === tiffCompression.jpeg || compression === tiffCompression.oldJpeg;
}

/** True where several pixels share a pair of chroma samples in the segments themselves; JPEG has its own way. */
export function isChromaSubsampled(directory: TiffDirectory): boolean {
  const { photometric, samplesPerPixel, compression } = directory;
  const [h, v] = directory.chromaSubsampling;
  const hasChroma = photometric === tiffPhotometric.yCbCr && samplesPerPixel === 3;
  return hasChroma && !isJpeg(compression) && (h !== 1 || v !== 1);
}

/**
 * Refuses by name what is not decoded here.
 *
 * @throws {CodedError} `image_format_unsupported`; `image_malformed` if the colour map is missing.
 * @see Pillow src/PIL/TiffImagePlugin.py, `OPEN_INFO`, for what it decodes
 */
export function assertSupported(directory: TiffDirectory): void {
  const { photometric, samplesPerPixel, bitsPerSample, planarConfiguration, fillOrder } = directory;
  const [bits = 0] = bitsPerSample;
  if (bitsPerSample.some((other) => other !== bits)) throw unsupported('tiff', 'samples of several sizes');
  if (samplesPerPixel < 1 || samplesPerPixel > maxSamplesPerPixel)
    throw unsupported('tiff', `${samplesPerPixel} samples per pixel`);
  if (planarConfiguration !== 1 && planarConfiguration !== 2)
    throw malformed('tiff', `planar configuration ${planarConfiguration}`);
  if (fillOrder !== 1 && fillOrder !== 2) throw malformed('tiff', `fill order ${fillOrder}`);
  if (!isKnownLayout(directory)) {
    throw unsupported(
      'tiff',
      `photometric ${photometric}, ${samplesPerPixel} samples of ${bits} bits per pixel, sample format ${directory.sampleFormat}`,
    );
  }
  if (photometric === tiffPhotometric.palette && directory.colourMap.length < 3 << bits) {
    throw malformed('tiff', 'its colour map is missing');
  }
  assertPredictor(directory);
  assertChroma(directory);
  assertCompression(directory);
}

function isKnownLayout(directory: TiffDirectory): boolean {
  const { photometric, samplesPerPixel, bitsPerSample, sampleFormat } = directory;
  const [bits = 0] = bitsPerSample;
  const isUnsigned = sampleFormat === tiffSampleFormat.unsigned;
  const isLight = photometric === tiffPhotometric.blackIsZero;
  switch (photometric) {
    case tiffPhotometric.whiteIsZero:
    case tiffPhotometric.blackIsZero:
      if (samplesPerPixel === 2 && isLight) return isUnsigned && bits === 8;
      if (samplesPerPixel !== 1) return false;
      if (sampleFormat === tiffSampleFormat.float) return bits === 32;
      if (sampleFormat === tiffSampleFormat.signed) return isLight && [8, 16, 32].includes(bits);
      return isUnsigned && (isLight ? [1, 2, 4, 8, 12, 16, 32] : [1, 2, 4, 8, 16]).includes(bits);
    case tiffPhotometric.palette:
      return (
        isUnsigned &&
        ((samplesPerPixel === 1 && [1, 2, 4, 8].includes(bits)) || (samplesPerPixel === 2 && bits === 8))
      );
    case tiffPhotometric.rgb:
      return isUnsigned && samplesPerPixel >= 3 && (bits === 8 || bits === 16);
    case tiffPhotometric.cmyk:
      return isUnsigned && samplesPerPixel >= 4 && (bits === 8 || bits === 16);
    case tiffPhotometric.cieLab:
      return isUnsigned && bits === 8 && samplesPerPixel === 3 && directory.planarConfiguration === 1;
    case tiffPhotometric.yCbCr:
      return isUnsigned && bits === 8 && (samplesPerPixel === 3 || samplesPerPixel === 1);
    default:
      return false;
  }
}

function assertPredictor(directory: TiffDirectory): void {
  const { predictor, bitsPerSample, sampleFormat, compression } = directory;
  if (!usesPredictor(compression)) return;
  const [bits = 0] = bitsPerSample;
  if (predictor === 3) {
    if (sampleFormat !== tiffSampleFormat.float || bits !== 32)
      throw malformed('tiff', "a float's predictor for other samples");
  } else if (predictor === 2) {
    if (!predictableBits.includes(bits) || isChromaSubsampled(directory))
      throw unsupported('tiff', `a predictor for ${bits} bits`);
  } else if (predictor !== 1) throw unsupported('tiff', `predictor ${predictor}`);
}

/** Others ignore the field. @see libtiff tif_lzw.c, tif_zip.c, tif_zstd.c, which call `TIFFPredictorInit` */
export function usesPredictor(compression: number): boolean {
  return (
    compression === tiffCompression.lzw ||
    compression === tiffCompression.deflate ||
    compression === tiffCompression.oldDeflate ||
    compression === tiffCompression.zstd
  );
}

function assertChroma(directory: TiffDirectory): void {
  if (directory.photometric !== tiffPhotometric.yCbCr || directory.compression === tiffCompression.jpeg)
    return;
  const [h, v] = directory.chromaSubsampling;
  if (![1, 2, 4].includes(h) || ![1, 2, 4].includes(v) || v > h * 2)
    throw malformed('tiff', `chroma subsampling ${h} x ${v}`);
  if (directory.planarConfiguration === 2 && isChromaSubsampled(directory))
    throw unsupported('tiff', 'planes of chroma that is subsampled');
}

function assertCompression({ compression, bitsPerSample, samplesPerPixel }: TiffDirectory): void {
  const [bits = 0] = bitsPerSample;
  switch (compression) {
    case tiffCompression.ccittHuffman:
    case tiffCompression.ccittHuffmanWords:
    case tiffCompression.ccittGroup3:
    case tiffCompression.ccittGroup4:
      if (bits !== 1 || samplesPerPixel !== 1)
        throw malformed('tiff', `a fax of ${samplesPerPixel} samples of ${bits} bits`);
      return;
    case tiffCompression.oldJpeg:
    case tiffCompression.jpeg:
      if (bits !== 8) throw unsupported('tiff', `JPEG of ${bits} bits`);
      return;
    case tiffCompression.none:
    case tiffCompression.lzw:
    case tiffCompression.packBits:
    case tiffCompression.deflate:
    case tiffCompression.oldDeflate:
    case tiffCompression.zstd:
      return;
    default:
      throw unsupported('tiff', `compression ${compression}`);
  }
}
