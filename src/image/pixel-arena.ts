import { maxKeptArenaBytes } from '../limits.ts';

const pageBytes = 65_536;
const alignment = 16;
/** What the routines may touch behind the last byte that was asked for. */
const marginBytes = 64;
/** What rounding adds to the pieces of a reservation: 32 of them. */
const roundingBytes = 32 * alignment;

/** The routines, and plain TypeScript where this is not given: the same bytes, slower. */
export class PixelRoutines {
  readonly #module: WebAssembly.Module;
  #idle: PixelArena | undefined;
  #borrowed = false;

  /** @param module `pixel-routines.wasm`, compiled. */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** @returns memory for one image and the routines on it; undefined while another image has it. */
  borrow(): PixelArena | undefined {
    if (this.#borrowed) return undefined;
    this.#borrowed = true;
    return (this.#idle ?? new PixelArena(this.#module)).start((arena) => {
      this.#borrowed = false;
      this.#idle = arena.bytes.length <= maxKeptArenaBytes ? arena : undefined;
    });
  }
}

/** See wat/ for what each does. Arguments are addresses, and counts of pixels or samples. */
interface RoutineExports {
  resize_row(row: number, table: number, count: number, out: number): void;
  resize_planes(red: number, green: number, blue: number, table: number, count: number, out: number): void;
  add_weighted(sums: number, samples: number, count: number, weight: number): void;
  add_weighted_rows(
    sums: number,
    rows: number,
    stride: number,
    count: number,
    weight0: number,
    weight1: number,
    weight2: number,
    weight3: number,
  ): void;
  finish_sums(sums: number, out: number, count: number): void;
  ycc_to_rgb(y: number, cb: number, cr: number, out: number, count: number): void;
  ycc_to_planes(
    y: number,
    cb: number,
    cr: number,
    red: number,
    green: number,
    blue: number,
    count: number,
  ): void;
  /** `block` is 64 i16, and left all zero. */
  idct_islow(block: number, out: number, stride: number): void;
  /** Likewise to 4 x 4 and 2 x 2 samples. */
  idct_4(block: number, out: number, stride: number): void;
  idct_2(block: number, out: number, stride: number): void;
  /** `scan` as src/image/codecs/jpeg/wasm/layout.ts places it. They return 1 if an MCU was given up, else 0. */
  decode_sequential(scan: number): number;
  decode_dc_first(scan: number): number;
  decode_dc_refinement(scan: number): number;
  decode_ac_first(scan: number): number;
  decode_ac_refinement(scan: number): number;
  /** `kind` is one of `tableKinds` there; `table` has its symbols. */
  build_scan_table(table: number, kind: number): void;
  /** Returns the address behind the last byte that was taken. */
  unstuff(scan: number, from: number, end: number, to: number): number;
  reconstruct_row(
    coefficients: number,
    divisors: number,
    block: number,
    count: number,
    out: number,
    side: number,
    stride: number,
  ): void;
  /** `state` as src/image/inflate/layout.ts places it. They return one of its `inflateStatus`. */
  read_block_header(state: number): number;
  decode_symbols(state: number): number;
  copy_stored(state: number): number;
  pair_literals(state: number): void;
  /** Bytes from `address` on; as a signed number. */
  adler32(address: number, count: number, previous: number): number;
  /** Likewise signed. `tables` are those of src/image/codecs/png/crc32.ts. */
  crc32(address: number, count: number, previous: number, tables: number): number;
  unfilter_sub(row: number, out: number, count: number, pixelBytes: number): void;
  unfilter_up(row: number, above: number, out: number, count: number): void;
  unfilter_average(row: number, above: number, out: number, count: number, pixelBytes: number): void;
  unfilter_paeth(row: number, above: number, out: number, count: number, pixelBytes: number): void;
  /** See src/image/codecs/webp/vp8/wasm/layout.ts for what stands at the addresses. */
  vp8_read_residuals(
    bools: number,
    tables: number,
    above: number,
    left: number,
    quantizer: number,
    coefficients: number,
    content: number,
    submodes: number,
  ): number;
  vp8_make_macroblock(
    workspace: number,
    edges: number,
    masks: number,
    modes: number,
    chromaMode: number,
    submodes: number,
    content: number,
    coefficients: number,
    place: number,
    luma: number,
    cb: number,
    cr: number,
    lumaStride: number,
    chromaStride: number,
  ): void;
  vp8_filter_macroblock(
    luma: number,
    cb: number,
    cr: number,
    lumaStride: number,
    chromaStride: number,
    outerEdge: number,
    innerEdge: number,
    interior: number,
    highVariance: number,
    edges: number,
  ): void;
  vp8_upsample_rgb(
    luma: number,
    nearCb: number,
    farCb: number,
    nearCr: number,
    farCr: number,
    out: number,
    count: number,
  ): void;
  fancy_h2v1(row: number, out: number, count: number): void;
  fancy_h2v2(near: number, far: number, out: number, count: number): void;
}

/** Linear memory in which an image's rows live while it is decoded. Addresses are bytes from its start. */
export class PixelArena {
  readonly routines: RoutineExports;
  /** All of it. Growing replaces it: nobody may keep it beyond the next `allocate`. */
  bytes: Uint8Array;
  readonly #memory: WebAssembly.Memory;
  #used = 0;
  #onRelease: (arena: PixelArena) => void = () => {};

  constructor(module: WebAssembly.Module) {
    this.#memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    // The module is ours: wat/module.ts declares these.
    this.routines = exports as unknown as RoutineExports;
    this.bytes = new Uint8Array(this.#memory.buffer);
  }

  start(onRelease: (arena: PixelArena) => void): this {
    this.#used = alignment;
    this.#onRelease = onRelease;
    return this;
  }

  /** Makes room for so many bytes in a few pieces: until they are used up, views of what is allocated stay valid. */
  reserve(bytes: number): void {
    this.#ensure(bytes + roundingBytes);
  }

  /** @returns the address of so many zeros, aligned to 16: nothing of an image before this one. */
  allocate(bytes: number): number {
    const size = allocatedBytes(bytes);
    this.#ensure(size);
    const address = this.#used;
    this.#used += size;
    this.bytes.fill(0, address, this.#used);
    return address;
  }

  /** As `allocate`, and a view of it. */
  allocateView(bytes: number): Uint8Array {
    const address = this.allocate(bytes);
    return this.bytes.subarray(address, address + bytes);
  }

  /** How much is allocated: what `rewind` takes. */
  mark(): number {
    return this.#used;
  }

  /** Gives back all that was allocated since `mark` returned this. */
  rewind(mark: number): void {
    this.#used = mark;
  }

  #ensure(bytes: number): void {
    const missing = this.#used + bytes + marginBytes - this.bytes.length;
    if (missing <= 0) return;
    this.#memory.grow(Math.ceil(missing / pageBytes));
    this.bytes = new Uint8Array(this.#memory.buffer);
  }

  /** Gives it back: nothing that was allocated is valid any more. */
  release(): void {
    this.#onRelease(this);
  }
}

/** What `allocate(bytes)` takes of an arena. */
export function allocatedBytes(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
