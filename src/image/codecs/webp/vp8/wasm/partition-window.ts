import type { PixelArena } from '../../../../pixel-arena.ts';
import { boolBytes, boolLayout } from './layout.ts';

/** How much of a partition is taken into linear memory at a time. */
const chunkBytes = 16_384;
/**
 * The most that one macroblock can take: 400 coefficients of at most 22 bits, each of which shifts by 7 at most, and what
 * is fetched ahead.
 */
const maxMacroblockBytes = 8_192;
const windowBytes = chunkBytes + maxMacroblockBytes;

/** What a `PartitionWindow` allocates. */
export const partitionWindowBytes = windowBytes + boolBytes;

/** A partition in linear memory, a part at a time, and the state of what decodes it. */
export class PartitionWindow {
  /** The address of the state: see `boolLayout`. */
  readonly state: number;
  readonly #bytes: Uint8Array;
  readonly #window: Uint8Array;
  readonly #fields: DataView;
  /** What is not in the window yet. */
  #rest: number;
  readonly #end: number;

  /** @param start of the partition in `bytes`, which lies in [start, end). */
  constructor(arena: PixelArena, bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#rest = start;
    this.#end = end;
    this.state = arena.allocate(boolBytes);
    this.#window = arena.allocateView(windowBytes);
    this.#fields = new DataView(arena.bytes.buffer, this.state, boolBytes);
    this.#fields.setInt32(boolLayout.count, -8, true);
    this.#fields.setInt32(boolLayout.range, 255, true);
    this.#fields.setInt32(boolLayout.position, this.#window.byteOffset, true);
    this.#fields.setInt32(boolLayout.end, this.#window.byteOffset, true);
    this.#fields.setInt32(boolLayout.exhausted, start < end ? 0 : 1, true);
  }

  get exhausted(): boolean {
    return this.#fields.getInt32(boolLayout.exhausted, true) !== 0;
  }

  /** Sees to it that a macroblock finds what it can take, or all that there is. */
  fill(): void {
    if (this.#rest === this.#end) return;
    const start = this.#window.byteOffset;
    const position = this.#fields.getInt32(boolLayout.position, true) - start;
    const end = this.#fields.getInt32(boolLayout.end, true) - start;
    if (end - position >= maxMacroblockBytes) return;
    this.#window.copyWithin(0, position, end);
    const left = end - position;
    const next = Math.min(this.#rest + windowBytes - left, this.#end);
    this.#window.set(this.#bytes.subarray(this.#rest, next), left);
    this.#fields.setInt32(boolLayout.position, start, true);
    this.#fields.setInt32(boolLayout.end, start + left + next - this.#rest, true);
    this.#rest = next;
  }
}
