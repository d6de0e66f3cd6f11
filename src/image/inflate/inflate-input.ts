/** Compressed bytes, handed over as they are wanted. */
export interface InflateInput {
  /**
   * Copies the next bytes to `memory` from `address` on.
   *
   * @param room bytes that may be copied.
   * @returns how many were; less than `room` only where they end.
   */
  fill(memory: Uint8Array, address: number, room: number): number;
}

/** Bytes that stand one after the other. */
export class BytesInput implements InflateInput {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  fill(memory: Uint8Array, address: number, room: number): number {
    const taken = this.#bytes.subarray(this.#position, this.#position + room);
    memory.set(taken, address);
    this.#position += taken.length;
    return taken.length;
  }
}
