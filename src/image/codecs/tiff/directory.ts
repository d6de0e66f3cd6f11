import { malformed, truncated, unsupported } from '../../image-error.ts';

/** @see TIFF 6.0 section 8 and Adobe Photoshop TIFF technical notes (Deflate) */
export const tiffCompression = { none: 1, lzw: 5, deflate: 8, oldDeflate: 32_946, packBits: 32_773 } as const;
export const tiffPhotometric = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3, cmyk: 5 } as const;

/** Field types and the bytes of one value. @see TIFF 6.0 section 2 (types) */
const byteType = 1;
const shortType = 3;
const longType = 4;
const bytesOfType: Readonly<Record<number, number>> = { [byteType]: 1, [shortType]: 2, [longType]: 4 };
const bytesPerEntry = 12;
/** Where TIFF has 42: offsets of 64 bits follow. */
const bigTiffVersion = 43;

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
  /** One entry a sample. */
  readonly bitsPerSample: readonly number[];
  /** 1: unsigned integers. */
  readonly sampleFormat: number;
  readonly fillOrder: number;
  /** 1: samples of a pixel side by side; 2: a plane for each. */
  readonly planarConfiguration: number;
  /** 1: none, 2: horizontal differencing. */
  readonly predictor: number;
  readonly tiled: boolean;
  /** 1: the colours are multiplied with alpha. */
  readonly extraSample: number;
  readonly rowsPerStrip: number;
  readonly stripOffsets: readonly number[];
  readonly stripByteCounts: readonly number[];
  /** All reds, then all greens, then all blues, 16 bits each. */
  readonly colourMap: readonly number[];
}

/**
 * Reads the first image file directory. Arrays are read only as long as an image can need.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported` for BigTIFF.
 * @see TIFF 6.0 section 2 (image file directory)
 */
export function parseTiffDirectory(bytes: Uint8Array): TiffDirectory {
  if (bytes.length < 8) throw truncated('tiff', 'inside its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = bytes[0] === 0x49;
  if (view.getUint16(2, littleEndian) === bigTiffVersion) throw unsupported('tiff', 'BigTIFF');
  const start = view.getUint32(4, littleEndian);
  if (start < 8) throw malformed('tiff', 'its directory lies inside the header');
  if (start + 2 > bytes.length) throw truncated('tiff', 'before its directory');
  const entries = view.getUint16(start, littleEndian);
  if (start + 2 + entries * bytesPerEntry > bytes.length) throw truncated('tiff', 'inside its directory');

  const entryOfTag = new Map<number, number>();
  for (let i = 0; i < entries; i++) {
    const entry = start + 2 + i * bytesPerEntry;
    entryOfTag.set(view.getUint16(entry, littleEndian), entry);
  }
  const values = (tag: number, maxCount: number): number[] => {
    const entry = entryOfTag.get(tag);
    return entry === undefined ? [] : readValues(view, littleEndian, entry, maxCount);
  };
  const value = (tag: number, byDefault: number): number => values(tag, 1)[0] ?? byDefault;

  const height = value(257, 0);
  const samplesPerPixel = value(277, 1);
  return {
    littleEndian,
    width: value(256, 0),
    height,
    orientation: values(274, 1)[0],
    xmp: readBytes(bytes, view, littleEndian, entryOfTag.get(700)),
    compression: value(259, tiffCompression.none),
    // Pillow's default too; the field is required, and scanners leave it out.
    photometric: value(262, tiffPhotometric.whiteIsZero),
    samplesPerPixel,
    bitsPerSample: entryOfTag.has(258) ? values(258, 8) : [1],
    sampleFormat: value(339, 1),
    fillOrder: value(266, 1),
    planarConfiguration: value(284, 1),
    predictor: value(317, 1),
    tiled: entryOfTag.has(322),
    extraSample: value(338, 0),
    rowsPerStrip: Math.max(1, Math.min(value(278, height), height)),
    stripOffsets: values(273, height),
    stripByteCounts: values(279, height),
    colourMap: values(320, 3 * 256),
  };
}

/** A field of bytes of any type; undefined if it does not lie in the file: metadata that is damaged turns nothing. */
function readBytes(
  bytes: Uint8Array,
  view: DataView,
  littleEndian: boolean,
  entry: number | undefined,
): Uint8Array | undefined {
  if (entry === undefined) return undefined;
  const count = view.getUint32(entry + 4, littleEndian);
  const at = count <= 4 ? entry + 8 : view.getUint32(entry + 8, littleEndian);
  return at + count <= bytes.length ? bytes.subarray(at, at + count) : undefined;
}

function readValues(view: DataView, littleEndian: boolean, entry: number, maxCount: number): number[] {
  const type = view.getUint16(entry + 2, littleEndian);
  const bytesPerValue = bytesOfType[type];
  if (bytesPerValue === undefined) return [];
  const count = Math.min(view.getUint32(entry + 4, littleEndian), maxCount);
  const isInline = view.getUint32(entry + 4, littleEndian) * bytesPerValue <= 4;
  const at = isInline ? entry + 8 : view.getUint32(entry + 8, littleEndian);
  if (at + count * bytesPerValue > view.byteLength)
    throw truncated('tiff', 'inside a field of its directory');
  return Array.from({ length: count }, (_, i) => {
    if (type === byteType) return view.getUint8(at + i);
    if (type === shortType) return view.getUint16(at + i * 2, littleEndian);
    return view.getUint32(at + i * 4, littleEndian);
  });
}
