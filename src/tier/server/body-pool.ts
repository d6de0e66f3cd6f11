import { maxKeptBodyBytes } from '../../limits.ts';

/**
 * Memory for request bodies that is used again. If each body allocated memory, V8 would run a full garbage collection for
 * every batch of tensors or two: a sixth of the tier's CPU time (measured).
 */
export class BodyPool {
  readonly #kept: ArrayBuffer[] = [];

  /** @returns a buffer of at least `bytes`, which may hold old data. */
  take(bytes: number): ArrayBuffer {
    const place = this.#kept.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= 2 * bytes);
    const [found] = place < 0 ? [] : this.#kept.splice(place, 1);
    return found ?? new ArrayBuffer(bytes);
  }

  /** Takes a buffer back, which nobody may use any more. If the pool is full, the oldest buffer is dropped. */
  give(buffer: ArrayBuffer): void {
    this.#kept.unshift(buffer);
    while (this.#keptBytes() > maxKeptBodyBytes) this.#kept.pop();
  }

  #keptBytes(): number {
    return this.#kept.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}
