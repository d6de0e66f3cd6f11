import { type FieldValues, TiffEntries } from './entries.ts';

/** @see TIFF 6.0 sections 8, 10, 11 and 22; Adobe Photoshop TIFF technical notes; libtiff tiff.h */
export const tiffCompression = {
  none: 1,
  ccittHuffman: 2,
  ccittGroup3: 3,
  ccittGroup4: 4,
  lzw: 5,
  oldJpeg: 6,
  jpeg: 7,
  deflate: 8,
  ccittHuffmanWords: 32_771,
  packBits: 32_773,
  oldDeflate: 32_946,
  zstd: 50_000,
} as const;
export const tiffPhotometric = {
  whiteIsZero: 0,
  blackIsZero: 1,
  rgb: 2,
  palette: 3,
  cmyk: 5,
  yCbCr: 6,
  cieLab: 8,
} as const;
export const tiffSampleFormat = { unsigned: 1, signed: 2, float: 3 } as const;

/** Values read of bits and extra samples. Files with more samples are refused. */
const maxSamples = 8;
const maxColours = 256;

/** The fields of the first image that decide whether and how it is decoded. */
export interface TiffDirectory {
  readonly littleEndian: boolean;
  readonly width: number;
  readonly height: number;
  /** Undefined without the field: then XMP may have it. */
  readonly orientation: number | undefined;
  /** The packet as it lies in the file, if there is one. */
  readonly xmp: Uint8Array | undefined;
  readonly compression: number;
  readonly photometric: number;
  readonly samplesPerPixel: number;
  /** One entry a sample, or one for all. */
  readonly bitsPerSample: readonly number[];
  /** One of `tiffSampleFormat` where it is known. */
  readonly sampleFormat: number;
  /** 2: the first pixel is in the low bits. */
  readonly fillOrder: number;
  /** 1: samples of a pixel side by side; 2: a plane for each. */
  readonly planarConfiguration: number;
  /** 1: none, 2: horizontal differencing, 3: that of floats. */
  readonly predictor: number;
  readonly tiled: boolean;
  /** What the first sample behind the colours is. 1: alpha, and the colours are multiplied with it. */
  readonly extraSample: number;
  /** Pixels of a strip or tile, as declared. */
  readonly segmentWidth: number;
  readonly segmentHeight: number;
  /** Of strips or tiles. */
  readonly offsets: FieldValues;
  readonly byteCounts: FieldValues;
  /** All reds, then all greens, then all blues, 16 bits each. */
  readonly colourMap: readonly number[];
  /** Bit 0: Group 3 in two dimensions. */
  readonly group3Options: number;
  /** Tables that the JPEG streams of all segments share. */
  readonly jpegTables: Uint8Array | undefined;
  /** Where they are, of compression 'oldJpeg'. */
  readonly oldJpeg: OldJpegFields;
  /** Luma samples to a chroma sample, across and down. */
  readonly chromaSubsampling: readonly [across: number, down: number];
  /** Luma coefficients of red, green and blue; empty by default. */
  readonly lumaCoefficients: readonly number[];
  /** Codes of black and white for Y, Cb and Cr; empty by default. */
  readonly referenceBlackWhite: readonly number[];
}

/** @see TIFF 6.0 section 22 (JPEG compression), which later notes replaced */
export interface OldJpegFields {
  /** A JPEG stream, or its beginning; a length of 0 is not known. */
  readonly stream: { readonly start: number; readonly length: number } | undefined;
  /** Offsets of a table for each component. */
  readonly quantizationTables: readonly number[];
  readonly dcTables: readonly number[];
  readonly acTables: readonly number[];
}

/**
 * Reads the first image file directory. Arrays in proportion to the image stay in the file.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see TIFF 6.0 section 2 (image file directory)
 */
export function parseTiffDirectory(bytes: Uint8Array): TiffDirectory {
  const entries = new TiffEntries(bytes);
  const width = entries.value(256, 0);
  const compression = entries.value(259, tiffCompression.none);
  const isOldJpeg = compression === tiffCompression.oldJpeg;
  const height = entries.value(257, 0);
  const tiled = entries.has(322);
  const planarConfiguration = entries.value(284, 1);
  const samplesPerPixel = countSamples(entries, planarConfiguration, isOldJpeg ? 3 : 1);
  return {
    littleEndian: entries.littleEndian,
    width,
    height,
    orientation: entries.values(274).at(0),
    xmp: entries.bytesOf(700),
    compression,
    // Pillow's default too; the field is required, and scanners leave it out.
    photometric: isOldJpeg ? tiffPhotometric.yCbCr : entries.value(262, tiffPhotometric.whiteIsZero),
    samplesPerPixel,
    bitsPerSample: entries.has(258)
      ? entries.values(258).toArray(Math.min(samplesPerPixel, maxSamples))
      : [1],
    sampleFormat: entries.value(339, tiffSampleFormat.unsigned),
    fillOrder: entries.value(266, 1),
    planarConfiguration,
    predictor: entries.value(317, 1),
    tiled,
    extraSample: entries.value(338, 0),
    segmentWidth: tiled ? entries.value(322, 0) : width,
    segmentHeight: tiled ? entries.value(323, 0) : Math.max(1, Math.min(entries.value(278, height), height)),
    // Some writers give tiles as strips.
    offsets: entries.values(tiled && entries.has(324) ? 324 : 273),
    byteCounts: entries.values(tiled && entries.has(325) ? 325 : 279),
    colourMap: entries.values(320).toArray(3 * maxColours),
    group3Options: entries.value(292, 0),
    jpegTables: entries.bytesOf(347),
    oldJpeg: {
      stream: entries.has(513) ? { start: entries.value(513, 0), length: entries.value(514, 0) } : undefined,
      quantizationTables: entries.values(519).toArray(maxSamples),
      dcTables: entries.values(520).toArray(maxSamples),
      acTables: entries.values(521).toArray(maxSamples),
    },
    chromaSubsampling: toPair(entries.has(530) ? entries.values(530).toArray(2) : [2, 2]),
    lumaCoefficients: entries.values(529).toArray(3),
    referenceBlackWhite: entries.values(532).toArray(6),
  };
}

/** What is missing is 0, which is refused. */
const toPair = ([first = 0, second = 0]: readonly number[]) => [first, second] as const;

/** Planes of samples that mean nothing stand behind all others, and are left out. */
function countSamples(entries: TiffEntries, planarConfiguration: number, byDefault: number): number {
  const samplesPerPixel = entries.value(277, byDefault);
  const extraSamples = entries.values(338).toArray(maxSamples);
  const areMeaningless = planarConfiguration === 2 && extraSamples.every((meaning) => meaning === 0);
  return areMeaningless ? samplesPerPixel - extraSamples.length : samplesPerPixel;
}
