import { adler32 } from './adler32.ts';
import { type InflateStatus, inflateStatus, maxHeaderBytes, maxSymbolBytes } from './layout.ts';
import { PlainBits } from './plain-bits.ts';
import { PlainHeader } from './plain-header.ts';
import type { InflateRoutines } from './routines.ts';
import { field } from './state-words.ts';
import { baseShift, entryFlags, literalShift } from './symbols.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const { blockEnd, needsInput, isFull, invalid } = inflateStatus;

/** The routines of inflating in plain TypeScript, on memory of their own, whose addresses are indices. */
export class PlainInflater implements InflateRoutines {
  readonly #bytes: Uint8Array;
  readonly #state: Int32Array;
  readonly #bits: PlainBits;
  readonly #header: PlainHeader;
  /** Index of the next byte of output, while a routine works. */
  #output = 0;

  constructor(memory: Uint8Array) {
    this.#bytes = memory;
    this.#bits = new PlainBits(memory);
    this.#state = this.#bits.state;
    this.#header = new PlainHeader(memory, this.#bits);
  }

  readBlockHeader(): InflateStatus {
    const bits = this.#bits;
    bits.enter();
    if (bits.lacks(maxHeaderBytes)) return needsInput;
    const status = this.#header.read();
    // What was invalid may only be missing.
    if (bits.isBehindInput) return needsInput;
    if (status !== invalid) bits.leave();
    return status;
  }

  copyStored(): InflateStatus {
    const state = this.#state;
    const left = state[field.storedLeft]!;
    const available = state[field.inputEnd]! - state[field.position]!;
    const room = state[field.outputEnd]! - state[field.output]!;
    const count = Math.min(left, available, room);
    const from = state[field.position]!;
    this.#bytes.copyWithin(state[field.output]!, from, from + count);
    state[field.position]! += count;
    state[field.output]! += count;
    state[field.storedLeft]! -= count;
    if (count === left) return blockEnd;
    return count === available ? needsInput : isFull;
  }

  decodeSymbols(): InflateStatus {
    this.#bits.enter();
    const state = this.#state;
    const outputEnd = state[field.outputEnd]!;
    this.#output = state[field.output]!;
    let status: InflateStatus = isFull;
    while (status === isFull && this.#output < outputEnd) {
      this.#takeLiterals(outputEnd);
      if (this.#output < outputEnd) status = this.#takeSymbol();
    }
    state[field.output] = this.#output;
    this.#bits.leave();
    return status;
  }

  prepareLongBlock(): void {}

  adler32(address: number, count: number, previous: number): number {
    return adler32(this.#bytes, address, address + count, previous);
  }

  /** Literals, which are most of what comes, as far as input is certain. They go on where another symbol follows. */
  #takeLiterals(outputEnd: number): void {
    const bytes = this.#bytes;
    const table = this.#header.literalTable;
    const mask = (1 << this.#state[field.literalBits]!) - 1;
    const certainEnd = this.#bits.inputEnd - maxSymbolBytes;
    let { bits, count, position } = this.#bits;
    let output = this.#output;
    while (position < certainEnd && output < outputEnd) {
      for (; count <= 24; count += 8) bits |= bytes[position++]! << count;
      const entry = table[bits & mask]!;
      if (entry < entryFlags.literal) break;
      bits >>>= entry & 63;
      count -= entry & 63;
      bytes[output++] = entry >>> literalShift;
    }
    this.#bits.bits = bits;
    this.#bits.count = count;
    this.#bits.position = position;
    this.#output = output;
  }

  /** Any symbol. One that is not there in whole is undone. @returns `isFull` if more may follow. */
  #takeSymbol(): InflateStatus {
    const source = this.#bits;
    if (source.lacks(maxSymbolBytes)) return needsInput;
    const state = this.#state;
    const { bits, count, position } = source;
    const mask = (1 << state[field.literalBits]!) - 1;
    const entry = source.takeCode(this.#header.literalTable, mask, entryFlags.exceptional);
    const isLiteral = entry >= entryFlags.literal;
    let status: InflateStatus = isFull;
    let length = 0;
    let distance = 0;
    if (!isLiteral && entry & entryFlags.exceptional) {
      status = entry & entryFlags.endOfBlock ? blockEnd : invalid;
    } else if (!isLiteral) {
      length = (entry >>> baseShift) + source.takeExtra(entry);
      distance = this.#takeDistance();
      if (distance === 0 || distance > this.#output - state[field.historyStart]!) status = invalid;
    }
    if (source.isBehindInput) {
      source.bits = bits;
      source.count = count;
      source.position = position;
      return needsInput;
    }
    if (isLiteral) this.#bytes[this.#output++] = entry >>> literalShift;
    else if (status === isFull) this.#copyMatch(length, distance);
    return status;
  }

  /** @returns 0 if the code means none. */
  #takeDistance(): number {
    const mask = (1 << this.#state[field.distanceBits]!) - 1;
    const entry = this.#bits.takeCode(this.#header.distanceTable, mask, entryFlags.exceptionalDistance);
    if (entry >= entryFlags.exceptionalDistance) return 0;
    return (entry >>> baseShift) + this.#bits.takeExtra(entry);
  }

  #copyMatch(length: number, distance: number): void {
    const bytes = this.#bytes;
    const end = this.#output + length;
    for (let to = this.#output; to < end; to++) bytes[to] = bytes[to - distance]!;
    this.#output = end;
  }
}
