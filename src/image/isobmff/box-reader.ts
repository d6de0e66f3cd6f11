import type { Box } from './boxes.ts';

/**
 * Reads big-endian numbers from a box.
 *
 * @throws {RangeError} of what reads beyond the end of the box.
 */
export class BoxReader {
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array, { start, end }: Pick<Box, 'start' | 'end'>) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + start, Math.max(0, end - start));
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#view.byteLength - this.#position;
  }

  skip(count: number): void {
    this.#position += count;
  }

  uint8(): number {
    this.#position += 1;
    return this.#view.getUint8(this.#position - 1);
  }

  uint16(): number {
    this.#position += 2;
    return this.#view.getUint16(this.#position - 2);
  }

  uint32(): number {
    this.#position += 4;
    return this.#view.getUint32(this.#position - 4);
  }

  int32(): number {
    return this.uint32() | 0;
  }

  /** @param size in bytes: 0 (the number is 0), 2, 4 or 8. */
  unsigned(size: number): number {
    switch (size) {
      case 0:
        return 0;
      case 2:
        return this.uint16();
      case 4:
        return this.uint32();
      case 8:
        return this.uint32() * 2 ** 32 + this.uint32();
      default:
        throw new RangeError(`no number has ${size} bytes`);
    }
  }

  /** The version of a full box, whose flags are left in `flags`. */
  fullBox(): { readonly version: number; readonly flags: number } {
    const word = this.uint32();
    return { version: word >>> 24, flags: word & 0xffffff };
  }
}
