/**
 * Memory that this thread and the inference threads share, for as many batches as may be under way. It is allocated once:
 * a batch of 16 images has 9.6 MB, and allocating, zeroing and collecting them for each batch took more than a tenth of
 * the time of its inference (measured).
 */
export class InputSlots {
  /** FP32 (batch, 3, side, side) each. */
  readonly buffers: readonly SharedArrayBuffer[];
  readonly #views: readonly Float32Array[];
  readonly #free: number[];
  readonly #imageSize: number;

  /** @param imageSize elements of one image. */
  constructor(count: number, maxBatch: number, imageSize: number) {
    this.#imageSize = imageSize;
    const bytes = maxBatch * imageSize * Float32Array.BYTES_PER_ELEMENT;
    this.buffers = Array.from({ length: count }, () => new SharedArrayBuffer(bytes));
    this.#views = this.buffers.map((buffer) => new Float32Array(buffer));
    this.#free = [...this.buffers.keys()];
  }

  /**
   * Puts a batch into a slot and keeps it there until `run` has ended.
   *
   * @throws {RangeError} if no slot is free. The caller must limit the batches under way.
   */
  async use<T>(tensors: readonly Float32Array[], run: (slot: number) => Promise<T>): Promise<T> {
    const slot = this.#free.pop();
    if (slot === undefined) throw new RangeError('more batches under way than slots');
    try {
      for (const [row, tensor] of tensors.entries()) this.#views[slot]!.set(tensor, row * this.#imageSize);
      return await run(slot);
    } finally {
      this.#free.push(slot);
    }
  }
}
