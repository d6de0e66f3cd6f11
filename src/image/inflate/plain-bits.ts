import { field, stateWords } from './state-words.ts';
import { entryFlags, subtableBitsShift, subtableStartShift } from './symbols.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** The bits of a stream, the next one lowest: copies of the state while a routine works. */
export class PlainBits {
  readonly bytes: Uint8Array;
  readonly state: Int32Array;
  bits = 0;
  count = 0;
  position = 0;
  inputEnd = 0;

  /** @param memory of an inflater, which begins with its state. */
  constructor(memory: Uint8Array) {
    this.bytes = memory;
    this.state = new Int32Array(memory.buffer, 0, stateWords);
  }

  enter(): void {
    this.bits = this.state[field.bits]!;
    this.count = this.state[field.count]!;
    this.position = this.state[field.position]!;
    this.inputEnd = this.state[field.inputEnd]!;
  }

  leave(): void {
    this.state[field.bits] = this.bits;
    this.state[field.count] = this.count;
    this.state[field.position] = this.position;
  }

  /** Whether so many bytes might be there and are not yet. */
  lacks(bytes: number): boolean {
    return this.inputEnd - this.position < bytes && this.state[field.isFinal] === 0;
  }

  /** Whether bits were taken that are not there. */
  get isBehindInput(): boolean {
    return (this.position - this.inputEnd) * 8 > this.count;
  }

  /** @param count 0 to 16. */
  take(count: number): number {
    this.#fetch();
    const value = this.bits & ((1 << count) - 1);
    this.consume(count);
    return value;
  }

  consume(count: number): void {
    this.bits >>>= count;
    this.count -= count;
  }

  /** The entry of the next code, which is taken; its extra bits are not. */
  takeCode(table: Uint32Array, mask: number, exceptional: number): number {
    this.#fetch();
    let entry = table[this.bits & mask]!;
    if ((entry & exceptional) !== 0 && (entry & entryFlags.subtable) !== 0) {
      this.consume(entry & 63);
      const start = (entry >>> subtableStartShift) & 0x7fff;
      entry = table[start + (this.bits & ((1 << ((entry >>> subtableBitsShift) & 15)) - 1))]!;
    }
    this.consume((entry >>> subtableBitsShift) & 15);
    return entry;
  }

  /** The extra bits of an entry whose code was taken. */
  takeExtra(entry: number): number {
    return this.take((entry & 63) - ((entry >>> 8) & 15));
  }

  /** 25 bits or more at hand; zeros behind the end of the input. */
  #fetch(): void {
    while (this.count <= 24) {
      if (this.position < this.inputEnd) this.bits |= this.bytes[this.position]! << this.count;
      this.position++;
      this.count += 8;
    }
  }
}
