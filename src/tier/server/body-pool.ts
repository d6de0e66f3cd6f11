import { maxKeptBodyBytes } from '../../limits.ts';

/**
 * Memory for request bodies, used again. V8 takes what a body allocates for pressure and answers with a full
 * garbage collection for every batch of tensors or two: a sixth of the tier's CPU time (measured).
 */
export class BodyPool {
  readonly #kept: ArrayBuffer[] = [];

  /** @returns at least `bytes`, holding anything. */
  take(bytes: number): ArrayBuffer {
    const place = this.#kept.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= 2 * bytes);
    const [found] = place < 0 ? [] : this.#kept.splice(place, 1);
    return found ?? new ArrayBuffer(bytes);
  }

  /** Nobody may look at it any more. What was given longest ago makes room. */
  give(buffer: ArrayBuffer): void {
    this.#kept.unshift(buffer);
    while (this.#keptBytes() > maxKeptBodyBytes) this.#kept.pop();
  }

  #keptBytes(): number {
    return this.#kept.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}
