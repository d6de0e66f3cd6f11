/** wat/ documents each routine. Arguments are addresses, and counts of bytes or columns. */
export interface MatrixRoutines {
  add_products(
    target: number,
    a: number,
    b: number,
    aScales: number,
    bScales: number,
    depthBytes: number,
  ): void;
  subtract_product(target: number, a: number, b: number, columns: number): void;
  subtract_transposed_product(target: number, a: number, b: number, columns: number): void;
  solve_lower(triangle: number, b: number, columns: number): void;
  solve_lower_transposed(triangle: number, b: number, columns: number): void;
}

const pageBytes = 65_536;
const alignment = 16;

/** Memory for the matrices of one lesson, and its routines. It grows as it is used, and is dropped with the lesson. */
export class MatrixMemory {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly routines: MatrixRoutines;
  #top = 0;

  /** @param module `matrix-routines.wasm`, compiled. */
  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    // The module is ours: wat/module.ts declares these.
    this.routines = exports as unknown as MatrixRoutines;
  }

  /** @returns the address of `bytes` bytes, all 0. They last until the enclosing `within` ends. */
  allocate(bytes: number): number {
    const address = this.#top;
    this.#top = address + Math.ceil(bytes / alignment) * alignment;
    const missing = this.#top - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
    new Uint8Array(this.#memory.buffer, address, bytes).fill(0);
    return address;
  }

  /** Runs `work` and then frees what it allocated. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    const top = this.#top;
    try {
      return await work();
    } finally {
      this.#top = top;
    }
  }

  /** A view is good until the next `allocate`. */
  float64(address: number, length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, address, length);
  }

  /** A view is good until the next `allocate`. */
  int16(address: number, length: number): Int16Array {
    return new Int16Array(this.#memory.buffer, address, length);
  }
}
