import { BoxReader } from '../../isobmff/box-reader.ts';
import { type Box, boxesIn, fourCharacters } from '../../isobmff/boxes.ts';
import type { StillImage } from '../../isobmff/parse-still-image.ts';
import {
  assertPlain,
  findDescriptions,
  type Item,
  type ItemTable,
  readItems,
} from '../../isobmff/read-items.ts';
import type { AvifPicture } from './picture.ts';
import { readSequenceHeader, type SequenceHeader } from './sequence-header.ts';

/** An AVIF as most are: 8 bits, 4:2:0, a single picture or a grid of equal tiles. */
export interface PlainPicture {
  /** The OBUs of each part: the tiles row by row, else the single picture. */
  readonly parts: readonly Uint8Array[];
  /** By the container if it says them, else by the AV1 stream. */
  readonly colours: Pick<AvifPicture, 'isFullRange' | 'primaries' | 'matrix'>;
  /** A frame is held twice: without grain and with it. */
  readonly hasFilmGrain: boolean;
}

/** Items of which Pillow shows the picture without a look at the others. */
const itemTypes = ['av01', 'grid', 'Exif', 'mime', 'tmap'];

/** The bytes that a property has; no number: at least as many as `checkProperty` reads. */
const propertyBytes: Readonly<Record<string, number | undefined>> = {
  ispe: 12,
  pasp: 8,
  irot: 1,
  imir: 1,
  clap: 32,
};
/** A reader has to know these of an item: libavif refuses a file in which they are not marked so. */
const essentialTypes = ['irot', 'imir', 'clap'];
const knownTypes = ['av1C', 'ispe', 'pixi', 'colr', 'pasp', 'auxC', 'clli', ...essentialTypes];
/** Several layers or operating points in one item. */
const layerTypes = ['a1op', 'a1lx', 'lsel'];

/** A sequence header may be in it, of some 20 bytes. */
const maxConfigurationBytes = 256;

/** "Exif\0\0" may stand before the TIFF structure. */
const maxExifOffset = 64;

/** MIAF's least tile. @see ISO/IEC 23000-22 section 7.3.11.4.2 */
const minTileSide = 64;

/**
 * Finds what dav1d needs of a file that is plain in all its boxes. Whatever is odd is left to libavif, which knows what
 * may be shown of it.
 *
 * @returns undefined if the file is for libavif.
 * @see AV1 Image File Format section 2; libavif read.c, `avifDecoderReset`
 */
export function findPlainPicture(bytes: Uint8Array, still: StillImage): PlainPicture | undefined {
  try {
    return readPlainPicture(bytes, still);
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

function readPlainPicture(bytes: Uint8Array, still: StillImage): PlainPicture {
  const table = readItems(bytes, findPlainMeta(bytes));
  const { primary, items, references, properties } = table;
  for (const box of properties) checkProperty(bytes, box);
  for (const item of items.values()) {
    assertPlain(itemTypes.includes(item.type));
    for (const { box, isEssential } of item.properties) {
      assertPlain(isEssential ? knownTypes.includes(box.type) : !essentialTypes.includes(box.type));
    }
  }
  for (const { type, extent } of findDescriptions(table)) if (type === 'Exif') checkExif(extent);
  // Colours that are multiplied by alpha need the samples of alpha.
  assertPlain(references.every(({ type }) => type !== 'prem'));
  for (const { type, from, to } of references) {
    if (type === 'auxl' && to.includes(primary)) checkAlpha(bytes, items.get(from)!, still);
    if (type === 'dimg')
      assertPlain(to.every((id) => items.get(id)!.type === 'av01' || items.get(from)!.type === 'tmap'));
  }
  const main = items.get(primary)!;
  if (still.isGrid) checkGrid(bytes, still, table);
  else assertPlain(main.type === 'av01' && still.partIds.length === 1 && still.partIds[0] === primary);
  assertEightBits(bytes, main);
  const parts = still.partIds.map((id) => items.get(id)!);
  const headers = parts.map((part) => readPart(bytes, part, still));
  const configurations = parts.map((part) => bytesOf(bytes, findOne(part, 'av1C')).join());
  assertPlain(configurations.every((configuration) => configuration === configurations[0]));
  return {
    parts: parts.map(({ extent }) => extent!),
    colours: readColours(bytes, main) ?? headers[0]!,
    hasFilmGrain: headers.some(({ hasFilmGrain }) => hasFilmGrain),
  };
}

/** The `meta` box of a file that has no other and no sequence. */
function findPlainMeta(bytes: Uint8Array): Box {
  const boxes: Box[] = [];
  for (const box of boxesIn(bytes, 0, bytes.length)) {
    if (box.type === 'ftyp' || box.type === 'meta') boxes.push(box);
    else assertPlain(boxes.length > 0 && box.type !== 'moov' && box.type !== 'mini');
    assertPlain(boxes.length <= 2);
  }
  const [ftyp, meta] = boxes;
  assertPlain(ftyp?.type === 'ftyp' && meta?.type === 'meta' && (ftyp.end - ftyp.start) % 4 === 0);
  const [major, , ...compatible] = Array.from(
    { length: Math.min(ftyp.end - ftyp.start, 256) / 4 },
    (_, i) => {
      return fourCharacters(bytes, ftyp.start + 4 * i);
    },
  );
  assertPlain(major !== 'avis' && compatible.includes('avif'));
  return meta;
}

/** libavif reads every property of a file, and refuses the file if it cannot. */
function checkProperty(bytes: Uint8Array, box: Box): void {
  const length = box.end - box.start;
  const reader = new BoxReader(bytes, box);
  assertPlain(!layerTypes.includes(box.type) && length === (propertyBytes[box.type] ?? length));
  if (box.type === 'ispe') assertPlain(reader.uint32() === 0);
  if (box.type === 'irot') assertPlain(reader.uint8() <= 3);
  if (box.type === 'imir') assertPlain(reader.uint8() <= 1);
  if (box.type === 'pixi') {
    assertPlain(reader.uint32() === 0);
    const planes = Array.from({ length: reader.uint8() }, () => reader.uint8());
    assertPlain(planes.length >= 1 && planes.length <= 4 && reader.remaining === 0);
    assertPlain(planes.every((depth) => depth >= 1 && depth <= 16 && depth === planes[0]));
  }
  if (box.type === 'auxC')
    assertPlain(reader.uint32() === 0 && bytes.subarray(box.start + 4, box.end).includes(0));
  if (box.type === 'av1C')
    assertPlain(reader.uint8() === 0x81 && length >= 4 && length <= maxConfigurationBytes);
  if (box.type === 'colr') {
    const kind = fourCharacters(bytes, box.start);
    assertPlain(kind === 'nclx' ? length === 11 && (bytes[box.end - 1]! & 0x7f) === 0 : length > 4);
  }
}

/** Pillow decodes alpha, and drops it. Its stream is not looked into. */
function checkAlpha(bytes: Uint8Array, item: Item, { width, height }: StillImage): void {
  assertSize(bytes, item, width, height);
  assertEightBits(bytes, item);
  if (item.type === 'grid') return;
  assertPlain(item.type === 'av01' && (bytes[findOne(item, 'av1C').start + 2]! & 0b110_0000) === 0);
}

/** libavif refuses a file whose Exif does not begin where it says. @see libavif exif.c, `avifGetExifTiffHeaderOffset` */
function checkExif(exif: Uint8Array | undefined): void {
  assertPlain(exif !== undefined);
  const declared = new BoxReader(exif, { start: 0, end: exif.length }).uint32();
  assertPlain(declared <= maxExifOffset && declared + 4 < exif.length - 4);
  const marks = ['MM\0*', 'II*\0'];
  const places = Array.from({ length: declared + 1 }, (_, i) => i);
  const begin = places.find((place) => marks.includes(fourCharacters(exif, 4 + place)));
  assertPlain(begin === declared);
}

/** @see ISO/IEC 23008-12 section 6.6.2.3.2; libavif avif.c, `avifAreGridDimensionsValid` */
function checkGrid(bytes: Uint8Array, still: StillImage, { primary, items, references }: ItemTable): void {
  const { width, height, tileWidth, tileHeight, partIds } = still;
  const main = items.get(primary)!;
  assertSize(bytes, main, width, height);
  const derivations = references.filter(({ type }) => type === 'dimg');
  const tiles = derivations.filter(({ from }) => from === primary);
  // No tile is one of two pictures.
  const uses = derivations.flatMap(({ to }) => to);
  assertPlain(
    tiles.length === 1 && tiles[0]!.to.length === partIds.length && new Set(uses).size === uses.length,
  );
  assertPlain(main.type === 'grid' && main.extent !== undefined);
  const reader = new BoxReader(main.extent, { start: 0, end: main.extent.length });
  const [version, flags] = [reader.uint8(), reader.uint8()];
  const [rows, columns] = [reader.uint8() + 1, reader.uint8() + 1];
  const size = flags === 0 ? [reader.uint16(), reader.uint16()] : [reader.uint32(), reader.uint32()];
  assertPlain(
    version === 0 && flags <= 1 && size[0] === width && size[1] === height && reader.remaining === 0,
  );
  assertPlain(columns === Math.ceil(width / tileWidth) && rows === Math.ceil(height / tileHeight));
  assertPlain(partIds.length === columns * rows && Math.min(tileWidth, tileHeight) >= minTileSide);
  // Chroma of no tile reaches into another.
  assertPlain([width, height, tileWidth, tileHeight].every((side) => side % 2 === 0));
}

/** A coded item: what its container declares is what its stream has. */
function readPart(bytes: Uint8Array, item: Item, { tileWidth, tileHeight }: StillImage): SequenceHeader {
  assertPlain(item.type === 'av01' && item.extent !== undefined);
  assertSize(bytes, item, tileWidth, tileHeight);
  const reader = new BoxReader(bytes, findOne(item, 'av1C'));
  reader.skip(1);
  // Profile 0; neither more than 8 bits nor grey, and chroma halved both ways.
  assertPlain(reader.uint8() >> 5 === 0 && (reader.uint8() & 0b111_1100) === 0b000_1100);
  assertEightBits(bytes, item);
  const header = readSequenceHeader(item.extent);
  assertPlain(header.width === tileWidth && header.height === tileHeight);
  return header;
}

/** @returns undefined if the container leaves them to the stream. */
function readColours(bytes: Uint8Array, item: Item): PlainPicture['colours'] | undefined {
  const boxes = item.properties.filter(({ box }) => box.type === 'colr').map(({ box }) => box);
  const described = boxes.filter((box) => fourCharacters(bytes, box.start) === 'nclx');
  assertPlain(described.length <= 1 && boxes.length - described.length <= 1);
  const [box] = described;
  if (!box) return undefined;
  const reader = new BoxReader(bytes, box);
  reader.skip(4);
  const primaries = reader.uint16();
  reader.skip(2);
  return { primaries, matrix: reader.uint16(), isFullRange: reader.uint8() !== 0 };
}

function assertSize(bytes: Uint8Array, item: Item, width: number, height: number): void {
  const reader = new BoxReader(bytes, findOne(item, 'ispe'));
  reader.skip(4);
  assertPlain(reader.uint32() === width && reader.uint32() === height);
}

function assertEightBits(bytes: Uint8Array, item: Item): void {
  for (const { box } of item.properties) assertPlain(box.type !== 'pixi' || bytes[box.start + 5] === 8);
}

/** The property of an item, which has no other of its type. */
function findOne(item: Item, type: string): Box {
  const found = item.properties.filter(({ box }) => box.type === type);
  assertPlain(found.length === 1);
  return found[0]!.box;
}

function bytesOf(bytes: Uint8Array, { start, end }: Box): Uint8Array {
  return bytes.subarray(start, end);
}
