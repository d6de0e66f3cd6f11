import { maxHeifAssociations, maxHeifItems } from '../../limits.ts';
import { BoxReader } from './box-reader.ts';
import { type Box, boxesIn, fourCharacters } from './boxes.ts';

/** A property of an item: its box, and whether a reader has to know it. */
export interface ItemProperty {
  readonly box: Box;
  readonly isEssential: boolean;
}

/** An item as the boxes describe it. */
export interface Item {
  /** Four characters, such as "av01" or "grid". */
  readonly type: string;
  /** Of a "mime" item, such as "application/rdf+xml". */
  readonly contentType: string | undefined;
  /** Bytes of the item where they lie in one piece. */
  extent: Uint8Array | undefined;
  properties: readonly ItemProperty[];
}

/** One item refers to others, such as "dimg" to its tiles. */
export interface ItemReference {
  readonly type: string;
  readonly from: number;
  readonly to: readonly number[];
}

/** All items of a file, by their ids. */
export interface ItemTable {
  /** Id of the item to show. */
  readonly primary: number;
  readonly items: ReadonlyMap<number, Item>;
  readonly references: readonly ItemReference[];
  /** All properties of the file, also those that no item has. */
  readonly properties: readonly Box[];
}

/** libavif keeps as many of the characters of a content type. */
const maxTypeLength = 64;

const neededBoxes = ['hdlr', 'pitm', 'iloc', 'iinf', 'iprp'];
const optionalBoxes = ['iref', 'idat', 'dinf', 'grpl'];

/**
 * Reads all items of a `meta` box, and takes nothing that is odd: a box that is repeated, unknown or not as long as its
 * content, an item that is described twice or lies outside the file. `MetaBox` answers single questions of any file;
 * this is for a reader that leaves files to another one unless every box of them is as it should be.
 *
 * @throws {RangeError} of what is odd.
 * @see ISO/IEC 14496-12 section 8.11; libavif read.c, `avifParseMetaBox`
 */
export function readItems(file: Uint8Array, meta: Box): ItemTable {
  const version = new BoxReader(file, meta).uint32();
  const boxes = readBoxes(file, meta.start + 4, meta.end);
  assertPlain(version === 0 && boxes[0]?.type === 'hdlr');
  const byType = new Map(boxes.map((box) => [box.type, box]));
  const isKnown = boxes.every(({ type }) => neededBoxes.includes(type) || optionalBoxes.includes(type));
  assertPlain(isKnown && byType.size === boxes.length && neededBoxes.every((type) => byType.has(type)));
  const reader = (type: string) => new BoxReader(file, byType.get(type)!);

  const handler = reader('hdlr');
  assertPlain(handler.uint32() === 0 && handler.uint32() === 0);
  assertPlain(fourCharacters(file, byType.get('hdlr')!.start + 8) === 'pict');
  assertPlain(file.subarray(byType.get('hdlr')!.start + 24, byType.get('hdlr')!.end).includes(0));

  const items = readTypes(file, byType.get('iinf')!);
  const primary = readPrimary(reader('pitm'));
  assertPlain(items.has(primary));
  readExtents(reader('iloc'), items, file, byType.get('idat'));
  const properties = readProperties(file, byType.get('iprp')!, items);
  const list = byType.get('iref');
  return { primary, items, properties, references: list ? readReferences(file, list, items) : [] };
}

/** What describes the primary item: its Exif, its XMP. */
export function findDescriptions({ primary, items, references }: ItemTable): readonly Item[] {
  return references
    .filter(({ type, to }) => type === 'cdsc' && to.at(-1) === primary)
    .map(({ from }) => items.get(from)!);
}

/** @throws {RangeError} */
export function assertPlain(condition: boolean): asserts condition {
  if (!condition) throw new RangeError('it is odd');
}

/** Boxes that fill [start, end) and nothing more. */
function readBoxes(file: Uint8Array, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  let next = start;
  for (const box of boxesIn(file, start, end)) {
    // A size of 0 would mean that it reaches to the end of the file.
    const hasSize = file.subarray(next, next + 4).some((byte) => byte !== 0);
    assertPlain(hasSize && box.complete && boxes.length < maxHeifItems);
    boxes.push(box);
    next = box.end;
  }
  assertPlain(next === end);
  return boxes;
}

function readPrimary(reader: BoxReader): number {
  const { version, flags } = reader.fullBox();
  assertPlain(version <= 1 && flags === 0);
  return version === 0 ? reader.uint16() : reader.uint32();
}

function readTypes(file: Uint8Array, list: Box): Map<number, Item> {
  const reader = new BoxReader(file, list);
  const { version, flags } = reader.fullBox();
  const count = version === 0 ? reader.uint16() : reader.uint32();
  assertPlain(version <= 1 && flags === 0 && count <= maxHeifItems);
  const entries = readBoxes(file, list.start + reader.position, list.end);
  const items = new Map<number, Item>();
  for (const box of entries) {
    const entry = new BoxReader(file, box);
    const head = entry.fullBox();
    assertPlain(box.type === 'infe' && (head.version === 2 || head.version === 3) && head.flags <= 1);
    const id = head.version === 2 ? entry.uint16() : entry.uint32();
    const protection = entry.uint16();
    const type = fourCharacters(file, box.start + entry.position);
    entry.skip(4);
    const strings = file.subarray(box.start + entry.position, box.end);
    // Its name, and the type of its content, each of which ends in 0.
    const nameEnd = strings.indexOf(0);
    const typeEnd = strings.indexOf(0, nameEnd + 1);
    assertPlain(
      nameEnd !== -1 && (type !== 'mime' || (typeEnd !== -1 && typeEnd - nameEnd <= maxTypeLength)),
    );
    const contentType =
      type === 'mime' ? String.fromCharCode(...strings.subarray(nameEnd + 1, typeEnd)) : undefined;
    assertPlain(id !== 0 && protection === 0 && !items.has(id));
    items.set(id, { type, contentType, extent: undefined, properties: [] });
  }
  assertPlain(items.size === count);
  return items;
}

function readExtents(
  reader: BoxReader,
  items: ReadonlyMap<number, Item>,
  file: Uint8Array,
  idat: Box | undefined,
): void {
  const { version, flags } = reader.fullBox();
  const sizes = reader.uint16();
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = sizes & 15;
  assertPlain(version <= 2 && flags === 0 && (version > 0 || indexBytes === 0));
  const seen = new Set<number>();
  for (let left = version < 2 ? reader.uint16() : reader.uint32(); left > 0; left--) {
    const id = version < 2 ? reader.uint16() : reader.uint32();
    const item = items.get(id);
    const method = version === 0 ? 0 : reader.uint16();
    const reference = reader.uint16();
    assertPlain(item !== undefined && !seen.has(id) && method <= 1 && reference === 0);
    seen.add(id);
    const container = method === 0 ? file : idat && file.subarray(idat.start, idat.end);
    const base = reader.unsigned(baseBytes);
    const count = reader.uint16();
    assertPlain(container !== undefined && count > 0);
    for (let i = 0; i < count; i++) {
      reader.skip(indexBytes);
      const start = base + reader.unsigned(offsetBytes);
      const end = start + reader.unsigned(lengthBytes);
      assertPlain(start < end && end <= container.length);
      if (count === 1) item.extent = container.subarray(start, end);
    }
  }
  assertPlain(reader.remaining === 0);
}

function readProperties(file: Uint8Array, list: Box, items: ReadonlyMap<number, Item>): readonly Box[] {
  const [container, ...associations] = readBoxes(file, list.start, list.end);
  assertPlain(container?.type === 'ipco' && associations.length === 1 && associations[0]?.type === 'ipma');
  const properties = readBoxes(file, container.start, container.end);
  const reader = new BoxReader(file, associations[0]);
  const { version, flags } = reader.fullBox();
  assertPlain(version <= 1 && flags <= 1);
  let before = 0;
  let associationCount = 0;
  for (let left = reader.uint32(); left > 0; left--) {
    const id = version === 0 ? reader.uint16() : reader.uint32();
    const item = items.get(id);
    assertPlain(item !== undefined && id > before);
    before = id;
    const count = reader.uint8();
    associationCount += count;
    assertPlain(associationCount <= maxHeifAssociations);
    item.properties = Array.from({ length: count }, () => {
      const word = flags === 0 ? reader.uint8() << 8 : reader.uint16();
      const box = properties[(flags === 0 ? (word >> 8) & 0x7f : word & 0x7fff) - 1];
      assertPlain(box !== undefined);
      return { box, isEssential: word >= 0x8000 };
    });
  }
  assertPlain(reader.remaining === 0);
  return properties;
}

function readReferences(file: Uint8Array, list: Box, items: ReadonlyMap<number, Item>): ItemReference[] {
  const { version, flags } = new BoxReader(file, list).fullBox();
  assertPlain(version <= 1 && flags === 0);
  let total = 0;
  return readBoxes(file, list.start + 4, list.end).map((box) => {
    const reader = new BoxReader(file, box);
    const readId = () => {
      const id = version === 0 ? reader.uint16() : reader.uint32();
      assertPlain(items.has(id));
      return id;
    };
    const from = readId();
    const count = reader.uint16();
    total += count;
    assertPlain(total <= maxHeifItems);
    const to = Array.from({ length: count }, readId);
    assertPlain(reader.remaining === 0 && new Set(to).size === count);
    return { type: box.type, from, to };
  });
}
