import type { PixelArena } from '../pixel-arena.ts';
import type { InflateInput } from './inflate-input.ts';
import { createInflateMemory, type InflateMemory, stateOf } from './inflate-memory.ts';
import { InputWindow } from './input-window.ts';
import { type InflateStatus, inflateStatus, outputBytes, overshootBytes, stepBytes } from './layout.ts';
import { field } from './state-words.ts';
import { historyBytes } from './symbols.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Why a stream gives no more bytes: it ends in order, what there is of it ends, or it breaks the rules. */
export type InflateEnd = 'ended' | 'cut' | 'invalid';

/** How a stream ends behind the bytes that were asked for. */
export type StreamEnd = 'intact' | 'damaged' | 'longer';

/** @see RFC 1950 2.2 */
const headerBytes = 2;
const trailerBytes = 4;
const deflateMethod = 8;
const largestWindowCode = 7;
const presetDictionary = 0x20;

/** Longer ones are worth a table of pairs, which takes some microseconds. */
const shortBlockBytes = 2048;

/**
 * The inflated content of a zlib stream, read forwards. It is inflated as it is read, at most 64 KiB ahead, and never
 * more than was declared; it holds the last 32 KiB for what refers back to them. Nothing of it is asynchronous, and
 * no runtime has a part in it.
 *
 * The window size that a stream claims is not believed, as in zlib: distances of up to 32 KiB are taken.
 *
 * @see RFC 1950, RFC 1951
 */
export class InflateStream {
  readonly #memory: InflateMemory;
  readonly #toError: (end: InflateEnd) => Error;
  readonly #capacity: number;
  #input: InputWindow;
  #isBegun = false;
  #mode: 'header' | 'begun' | 'coded' | 'stored' = 'header';
  /** Set where no more bytes are to come. */
  #end: InflateEnd | undefined;
  /** Address of the next byte to read. */
  #next: number;
  /** Bytes that may still be inflated. */
  #left: number;
  #checksum = 1;

  /**
   * @param input the compressed bytes; what it throws, reading throws.
   * @param maxBytes of content: no more is inflated, whatever the stream holds.
   * @param longestRun the most that `advance` is asked for.
   * @param toError makes the error to throw where there are no more bytes.
   * @param arena with it, WebAssembly does the work, in its memory: the same bytes, faster.
   */
  constructor(
    input: InflateInput,
    maxBytes: number,
    longestRun: number,
    toError: (end: InflateEnd) => Error,
    arena?: PixelArena,
  ) {
    this.#memory = createInflateMemory(longestRun, arena);
    this.#capacity = outputBytes(longestRun);
    this.#toError = toError;
    this.#input = new InputWindow(this.#memory, input);
    this.#next = this.#memory.output;
    this.#left = maxBytes;
    this.#begin();
  }

  /** Begins another stream in the same memory. */
  restart(input: InflateInput, maxBytes: number): void {
    this.#input = new InputWindow(this.#memory, input);
    this.#isBegun = false;
    this.#mode = 'header';
    this.#end = undefined;
    this.#next = this.#memory.output;
    this.#left = maxBytes;
    this.#checksum = 1;
    this.#begin();
  }

  /** Where output is full. */
  get #softEnd(): number {
    return this.#memory.output + this.#capacity - overshootBytes;
  }

  /** The memory in which `advance` finds bytes. */
  get bytes(): Uint8Array {
    return this.#memory.bytes;
  }

  /** @returns the address of the next `count` bytes, which stay where they are until the next call. */
  advance(count: number): number {
    while (stateOf(this.#memory)[field.output]! - this.#next < count) {
      if (this.#end !== undefined || this.#left <= 0) throw this.#toError(this.#end ?? 'ended');
      this.#decode();
    }
    const address = this.#next;
    this.#next += count;
    return address;
  }

  /** Fills `target`. */
  read(target: Uint8Array): void {
    for (let filled = 0; filled < target.length; ) {
      const count = Math.min(target.length - filled, stepBytes);
      const address = this.advance(count);
      target.set(this.bytes.subarray(address, address + count), filled);
      filled += count;
    }
  }

  /**
   * All of the content, before anything was read: up to its end, or up to a little more than `maxBytes`, which tells
   * that there is more.
   */
  readAll(): Uint8Array {
    const parts: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      const available = stateOf(this.#memory)[field.output]! - this.#next;
      const address = this.advance(available);
      parts.push(this.bytes.slice(address, address + available));
      total += available;
      if (this.#end !== undefined || this.#left <= 0) break;
      this.#decode();
    }
    const content = new Uint8Array(total);
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      total -= part.length;
      content.set(part, total);
    }
    return content;
  }

  /** How it ends, once all of it was inflated. */
  get end(): InflateEnd | undefined {
    return this.#end;
  }

  /** Passes over `count` bytes. */
  skip(count: number): void {
    for (let left = count; left > 0; ) {
      const step = Math.min(left, stepBytes);
      this.advance(step);
      left -= step;
    }
  }

  /**
   * Says how the stream ends behind the `maxBytes` that were declared, all of which were read. What stands behind its
   * end is ignored.
   */
  finish(): StreamEnd {
    if (this.#left === 0) this.#left = 1;
    while (this.#end === undefined && this.#left > 0) this.#decode();
    if (this.#left <= 0) return 'longer';
    if (this.#end === 'ended') {
      const checksum = this.#readTrailer();
      if (checksum === this.#checksum) return 'intact';
      if (checksum === undefined) this.#end = 'cut';
    }
    return 'damaged';
  }

  #begin(): void {
    const { input, output } = this.#memory;
    const state = stateOf(this.#memory);
    state.fill(0);
    state[field.position] = input;
    state[field.inputEnd] = input;
    state[field.output] = output;
    state[field.historyStart] = output;
  }

  /** Inflates up to where the memory is full, or the stream or what was declared of it ends. */
  #decode(): void {
    this.#makeRoom();
    const state = stateOf(this.#memory);
    const start = state[field.output]!;
    state[field.outputEnd] = Math.min(this.#softEnd, start + this.#left);
    if (!this.#isBegun) this.#readZlibHeader();
    while (this.#end === undefined && state[field.output]! < state[field.outputEnd]!) this.#takeStep(state);
    const count = state[field.output]! - start;
    this.#checksum = this.#memory.routines.adler32(start, count, this.#checksum);
    this.#left -= count;
  }

  #takeStep(state: Int32Array): void {
    this.#input.replenish(state);
    switch (this.#runRoutine(state)) {
      case inflateStatus.blockEnd:
        this.#mode = 'header';
        if (state[field.isLastBlock] !== 0) this.#end = 'ended';
        break;
      case inflateStatus.coded:
        this.#mode = 'begun';
        break;
      case inflateStatus.stored:
        this.#mode = 'stored';
        break;
      case inflateStatus.needsInput:
        if (this.#input.isFinal) this.#end = 'cut';
        break;
      case inflateStatus.invalid:
        this.#end = 'invalid';
        break;
      case inflateStatus.isFull:
        break;
    }
  }

  #runRoutine(state: Int32Array): InflateStatus {
    const { routines } = this.#memory;
    if (this.#mode === 'begun') return this.#beginBlock(state);
    if (this.#mode === 'coded') return routines.decodeSymbols();
    return this.#mode === 'stored' ? routines.copyStored() : routines.readBlockHeader();
  }

  /** A block that is still not at its end after a while is long enough to prepare for. */
  #beginBlock(state: Int32Array): InflateStatus {
    const { routines } = this.#memory;
    const end = state[field.outputEnd]!;
    state[field.outputEnd] = Math.min(end, state[field.output]! + shortBlockBytes);
    const status = routines.decodeSymbols();
    state[field.outputEnd] = end;
    if (status === inflateStatus.isFull) {
      routines.prepareLongBlock();
      this.#mode = 'coded';
    }
    return status;
  }

  /** Where output is full, the last 32 KiB of it and what is not yet read move to its beginning. */
  #makeRoom(): void {
    const state = stateOf(this.#memory);
    const end = state[field.output]!;
    if (end < this.#softEnd) return;
    const { bytes, output } = this.#memory;
    const kept = Math.min(this.#next, end - historyBytes);
    bytes.copyWithin(output, kept, end);
    state[field.output]! -= kept - output;
    this.#next -= kept - output;
  }

  /** @see RFC 1950 2.2 */
  #readZlibHeader(): void {
    this.#isBegun = true;
    const [method = 0, flags] = this.#input.takeBytes(headerBytes);
    if (flags === undefined) this.#end = 'cut';
    else if ((method * 256 + flags) % 31 !== 0 || (method & 15) !== deflateMethod) this.#end = 'invalid';
    else if (method >> 4 > largestWindowCode || (flags & presetDictionary) !== 0) this.#end = 'invalid';
  }

  /** @returns the checksum behind the last block; undefined if it is cut off. */
  #readTrailer(): number | undefined {
    const bytes = this.#input.takeBytes(trailerBytes);
    return bytes.length < trailerBytes ? undefined : new DataView(bytes.buffer).getUint32(0);
  }
}
