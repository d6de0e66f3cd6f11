import { malformed } from '../../image-error.ts';
import type { InflateStream } from '../../inflate/inflate-stream.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { filterType, unfilterRow } from './unfilter.ts';

/** What routines may write behind the last byte of a row. */
const overshootBytes = 16;

/** Rows of one reduced image, one after the other, their filters undone. Two of them are held. */
export interface UnfilteredRows {
  /** @returns the next row, as much of it as is needed: valid until the next call. */
  next(): Uint8Array;
  /** Passes over a row below those that are needed. */
  skip(): void;
}

export interface RowShape {
  readonly rowBytes: number;
  /** Bytes at the beginning of a row that are needed; no filter looks to the right. */
  readonly neededBytes: number;
  /** Bytes of one pixel, 1 if it has less. */
  readonly pixelBytes: number;
}

/** @throws {CodedError} in `next` and `skip`: `image_malformed` for an unknown filter, and what `data` throws. */
export function openRows(
  data: InflateStream,
  shape: RowShape,
  arena: PixelArena | undefined,
): UnfilteredRows {
  return arena ? new WasmRows(data, shape, arena) : new PlainRows(data, shape);
}

/** @returns the address of the next row; its filter stands before. */
function advanceRow(data: InflateStream, rowBytes: number): number {
  const address = data.advance(rowBytes + 1) + 1;
  const filter = data.bytes[address - 1]!;
  if (filter > filterType.paeth) throw malformed('png', `filter type ${filter}`);
  return address;
}

class PlainRows implements UnfilteredRows {
  readonly #data: InflateStream;
  readonly #shape: RowShape;
  #current: Uint8Array;
  #previous: Uint8Array;

  constructor(data: InflateStream, shape: RowShape) {
    this.#data = data;
    this.#shape = shape;
    this.#current = new Uint8Array(shape.neededBytes);
    this.#previous = new Uint8Array(shape.neededBytes);
  }

  next(): Uint8Array {
    const { rowBytes, neededBytes, pixelBytes } = this.#shape;
    const address = advanceRow(this.#data, rowBytes);
    const row = this.#previous;
    this.#previous = this.#current;
    this.#current = row;
    const { bytes } = this.#data;
    row.set(bytes.subarray(address, address + neededBytes));
    unfilterRow(bytes[address - 1]!, row, this.#previous, pixelBytes);
    return row;
  }

  skip(): void {
    advanceRow(this.#data, this.#shape.rowBytes);
  }
}

/** The same from where the row was inflated to another place in linear memory. */
class WasmRows implements UnfilteredRows {
  readonly #data: InflateStream;
  readonly #shape: RowShape;
  readonly #arena: PixelArena;
  /** Addresses of both rows. */
  #current: number;
  #previous: number;

  constructor(data: InflateStream, shape: RowShape, arena: PixelArena) {
    this.#data = data;
    this.#shape = shape;
    this.#arena = arena;
    this.#current = arena.allocate(shape.neededBytes + overshootBytes);
    this.#previous = arena.allocate(shape.neededBytes + overshootBytes);
  }

  next(): Uint8Array {
    const { rowBytes, neededBytes, pixelBytes } = this.#shape;
    const row = advanceRow(this.#data, rowBytes);
    const above = this.#current;
    const out = this.#previous;
    this.#previous = above;
    this.#current = out;
    const { bytes, routines } = this.#arena;
    switch (bytes[row - 1]) {
      case filterType.none:
        bytes.copyWithin(out, row, row + neededBytes);
        break;
      case filterType.sub:
        routines.unfilter_sub(row, out, neededBytes, pixelBytes);
        break;
      case filterType.up:
        routines.unfilter_up(row, above, out, neededBytes);
        break;
      case filterType.average:
        routines.unfilter_average(row, above, out, neededBytes, pixelBytes);
        break;
      default:
        routines.unfilter_paeth(row, above, out, neededBytes, pixelBytes);
    }
    return bytes.subarray(out, out + neededBytes);
  }

  skip(): void {
    advanceRow(this.#data, this.#shape.rowBytes);
  }
}
