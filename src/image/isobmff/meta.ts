import { BoxReader } from './box-reader.ts';
import { type Box, boxesIn, findBox, fourCharacters } from './boxes.ts';

/** More properties of one item than any encoder writes: some ten. */
const maxProperties = 64;

/**
 * Looks into the `meta` box of a still image. It keeps nothing in proportion to the file: each question walks the
 * boxes anew, and a header asks some six.
 *
 * @throws {RangeError} from each method if a box ends before what it declares.
 * @see ISO/IEC 14496-12 section 8.11 (the meta box), ISO/IEC 23008-12 (HEIF)
 */
export class MetaBox {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, meta: Box) {
    this.#bytes = bytes;
    // It is a full box: four bytes of version and flags come first.
    this.#start = meta.start + 4;
    this.#end = meta.end;
  }

  /** The item to show, of a burst or a stereo pair as well. */
  primaryItem(): number | undefined {
    const reader = this.#open('pitm');
    if (!reader) return undefined;
    return reader.fullBox().version === 0 ? reader.uint16() : reader.uint32();
  }

  /** Four characters, such as "hvc1", "av01" or "grid". */
  itemType(item: number): string | undefined {
    const list = this.#find('iinf');
    if (!list) return undefined;
    const isShort = this.#bytes[list.start] === 0;
    for (const entry of boxesIn(this.#bytes, list.start + (isShort ? 6 : 8), list.end)) {
      if (entry.type !== 'infe') continue;
      const reader = new BoxReader(this.#bytes, entry);
      const { version } = reader.fullBox();
      if (version < 2) continue;
      const id = version === 2 ? reader.uint16() : reader.uint32();
      reader.skip(2);
      if (id === item && reader.remaining >= 4) {
        return fourCharacters(this.#bytes, entry.start + reader.position);
      }
    }
    return undefined;
  }

  /**
   * The items that an item is made of, in order.
   *
   * @param most a longer list is cut.
   */
  partsOf(item: number, most: number): number[] {
    const list = this.#find('iref');
    if (!list) return [];
    const isLong = this.#bytes[list.start] !== 0;
    for (const reference of boxesIn(this.#bytes, list.start + 4, list.end)) {
      if (reference.type !== 'dimg') continue;
      const reader = new BoxReader(this.#bytes, reference);
      const id = () => (isLong ? reader.uint32() : reader.uint16());
      if (id() !== item) continue;
      const count = Math.min(reader.uint16(), most);
      return Array.from({ length: count }, id);
    }
    return [];
  }

  /** The properties of an item in the order in which they apply; boxes that the file does not have are left out. */
  propertiesOf(item: number): Box[] {
    const properties = this.#find('iprp');
    const container = properties && findBox(this.#bytes, properties.start, properties.end, 'ipco');
    if (!container) return [];
    const indices: number[] = [];
    for (const box of boxesIn(this.#bytes, properties.start, properties.end)) {
      if (box.type === 'ipma') this.#readAssociations(box, item, indices);
    }
    const found: Box[] = [];
    let index = 0;
    for (const box of boxesIn(this.#bytes, container.start, container.end)) {
      index++;
      for (let i = 0; i < indices.length; i++) if (indices[i] === index) found[i] = box;
    }
    return found.filter((box) => box !== undefined);
  }

  /** Bytes of all extents of these items together; an item that is listed twice counts twice. */
  codedBytes(items: readonly number[]): number {
    const reader = this.#open('iloc');
    if (!reader) return 0;
    const { version } = reader.fullBox();
    const sizes = reader.uint16();
    const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
    const indexBytes = version === 0 ? 0 : sizes & 15;
    const uses = new Map<number, number>();
    for (const item of items) uses.set(item, (uses.get(item) ?? 0) + 1);
    let total = 0;
    for (let left = version < 2 ? reader.uint16() : reader.uint32(); left > 0; left--) {
      const count = uses.get(version < 2 ? reader.uint16() : reader.uint32()) ?? 0;
      reader.skip((version === 0 ? 0 : 2) + 2 + baseBytes);
      for (let extents = reader.uint16(); extents > 0; extents--) {
        reader.skip(indexBytes + offsetBytes);
        total += count * reader.unsigned(lengthBytes);
      }
    }
    return total;
  }

  #readAssociations(box: Box, item: number, indices: number[]): void {
    const reader = new BoxReader(this.#bytes, box);
    const { version, flags } = reader.fullBox();
    const isWide = (flags & 1) !== 0;
    for (let entries = reader.uint32(); entries > 0; entries--) {
      const id = version === 0 ? reader.uint16() : reader.uint32();
      const count = reader.uint8();
      if (id !== item) {
        reader.skip(count * (isWide ? 2 : 1));
        continue;
      }
      for (let i = 0; i < count; i++) {
        // The highest bit says that the property is essential.
        const index = isWide ? reader.uint16() & 0x7fff : reader.uint8() & 0x7f;
        if (index !== 0 && indices.length < maxProperties) indices.push(index);
      }
    }
  }

  #find(type: string): Box | undefined {
    return findBox(this.#bytes, this.#start, this.#end, type);
  }

  #open(type: string): BoxReader | undefined {
    const box = this.#find(type);
    return box && new BoxReader(this.#bytes, box);
  }
}
