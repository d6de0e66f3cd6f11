import { maxHeifTiles } from '../../limits.ts';
import type { ImageFormat, ImageHeader } from '../image.ts';
import { malformed, tooComplex, truncated, unsupported } from '../image-error.ts';
import { BoxReader } from './box-reader.ts';
import { type Box, boxesIn } from './boxes.ts';
import { findDescribedOrientation } from './described-orientation.ts';
import { MetaBox } from './meta.ts';
import { combineTransformations, type Transformations } from './transformations.ts';

/** What an ISO base media file says of the picture that it shows. */
export interface StillImage extends Transformations {
  readonly format: Extract<ImageFormat, 'heic' | 'avif'>;
  /** Pixels as coded, before they are cut and turned. */
  readonly width: number;
  readonly height: number;
  readonly isGrid: boolean;
  /** The coded items that the picture is made of: the tiles of a grid, row by row, else a single one. */
  readonly partIds: readonly number[];
  /** Pixels that are decoded at once: a tile of a grid, else the whole. */
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** Bytes that are decoded for the whole picture; tiles may share some. */
  readonly codedBytes: number;
}

/** By the type of the coded item. */
const formats: Readonly<Record<string, StillImage['format']>> = { hvc1: 'heic', av01: 'avif' };

/** Pictures made of others: a grid of tiles, one laid over another, the same one turned. */
const derivedTypes = ['grid', 'iovl', 'iden'];

/** What a cut file ends in. Others behind the picture may be damaged: phones append boxes of their own. */
const neededBoxes = ['ftyp', 'meta', 'mdat', 'idat'];

/**
 * Reads the boxes of a HEIC or AVIF file; no pixel is decoded.
 *
 * @param format what its brand says. The coded item decides.
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_too_complex`, `image_format_unsupported`.
 * @see ISO/IEC 23008-12 (HEIF), AV1 Image File Format
 */
export function parseStillImage(bytes: Uint8Array, format: StillImage['format']): StillImage {
  try {
    return readStillImage(bytes, format);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw malformed(format, 'its boxes contradict each other', { cause });
  }
}

/** The size is that of the pixels that are shown, before they are turned. @throws {CodedError} as `parseStillImage`. */
export function parseStillImageHeader(bytes: Uint8Array, brand: StillImage['format']): ImageHeader {
  const { format, crop, orientation } = parseStillImage(bytes, brand);
  return { format, width: crop.right - crop.left, height: crop.bottom - crop.top, orientation };
}

function readStillImage(bytes: Uint8Array, brand: StillImage['format']): StillImage {
  const metaBox = findMeta(bytes, brand);
  const meta = new MetaBox(bytes, metaBox);
  const item = meta.primaryItem();
  if (item === undefined) throw unsupported(brand, 'a sequence without a still picture');
  const type = meta.itemType(item);
  const parts = derivedTypes.includes(type ?? '') ? meta.partsOf(item, maxHeifTiles + 1) : [];
  if (parts.length > maxHeifTiles) throw tooComplex(brand, `more than ${maxHeifTiles} tiles`);
  const codedType = (parts.length > 0 ? meta.itemType(parts[0]!) : type) ?? 'none';
  const format = formats[codedType];
  if (format === undefined) throw unsupported(brand, `a picture of the type ${JSON.stringify(codedType)}`);

  const properties = meta.propertiesOf(item);
  const { width, height } = readSize(bytes, properties, brand);
  const isGrid = type === 'grid' && parts.length > 0;
  // Pillow shows all pixels of an AVIF, also those that its aperture excludes.
  const transformations = combineTransformations(bytes, properties, width, height, format === 'heic');
  const isTurnedByXmp = format === 'avif' && transformations.orientation === 1;
  const tile = isGrid ? readSize(bytes, meta.propertiesOf(parts[0]!), brand) : { width, height };
  return {
    format,
    width,
    height,
    isGrid,
    partIds: parts.length > 0 ? parts : [item],
    tileWidth: tile.width,
    tileHeight: tile.height,
    codedBytes: meta.codedBytes(parts.length > 0 ? parts : [item]),
    ...transformations,
    ...(isTurnedByXmp && { orientation: findDescribedOrientation(bytes, metaBox) }),
  };
}

function findMeta(bytes: Uint8Array, format: StillImage['format']): Box {
  let meta: Box | undefined;
  for (const box of boxesIn(bytes, 0, bytes.length)) {
    if (!box.complete && neededBoxes.includes(box.type))
      throw truncated(format, `inside its box ${box.type}`);
    if (box.type === 'mini') throw unsupported(format, 'the short form of its header');
    if (box.type === 'meta') meta ??= box;
  }
  if (meta) return meta;
  const isSequence = [...boxesIn(bytes, 0, bytes.length)].some(({ type }) => type === 'moov');
  if (isSequence) throw unsupported(format, 'a sequence without a still picture');
  throw truncated(format, 'before its box meta');
}

function readSize(
  bytes: Uint8Array,
  properties: readonly Box[],
  format: StillImage['format'],
): { readonly width: number; readonly height: number } {
  const extents = properties.find(({ type }) => type === 'ispe');
  if (!extents) throw malformed(format, 'it does not say its size');
  const reader = new BoxReader(bytes, extents);
  reader.fullBox();
  const width = reader.uint32();
  const height = reader.uint32();
  if (width === 0 || height === 0) throw malformed(format, `it declares ${width} x ${height} pixels`);
  return { width, height };
}
