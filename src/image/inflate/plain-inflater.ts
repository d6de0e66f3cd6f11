import { adler32 } from './adler32.ts';
import {
  type InflateStatus,
  inflateStatus,
  maxHeaderBytes,
  maxSymbolBytes,
  regions,
  stateLayout,
} from './layout.ts';
import { buildTable } from './plain-tables.ts';
import type { InflateRoutines } from './routines.ts';
import {
  baseShift,
  distanceMeanings,
  distanceSymbols,
  distanceTableBits,
  distanceTableEntries,
  endOfBlockSymbol,
  entryFlags,
  fixedDistanceLengths,
  fixedLiteralLengths,
  lengthCodeMeanings,
  lengthCodeOrder,
  lengthCodeSymbols,
  lengthCodeTableBits,
  literalMeanings,
  literalShift,
  literalSymbols,
  literalTableBits,
  literalTableEntries,
  maxDeclaredDistances,
  maxDeclaredLiterals,
  subtableBitsShift,
  subtableStartShift,
} from './symbols.ts';

const stateFields = stateLayout.historyStart / Int32Array.BYTES_PER_ELEMENT + 1;
const { blockEnd, coded, stored, needsInput, isFull, invalid } = inflateStatus;
const field = {
  bits: stateLayout.bits >> 2,
  count: stateLayout.count >> 2,
  position: stateLayout.position >> 2,
  inputEnd: stateLayout.inputEnd >> 2,
  output: stateLayout.output >> 2,
  outputEnd: stateLayout.outputEnd >> 2,
  historyStart: stateLayout.historyStart >> 2,
  storedLeft: stateLayout.storedLeft >> 2,
  isLastBlock: stateLayout.isLastBlock >> 2,
  literalBits: stateLayout.literalBits >> 2,
  distanceBits: stateLayout.distanceBits >> 2,
  hasFixedTables: stateLayout.hasFixedTables >> 2,
  isFinal: stateLayout.isFinal >> 2,
} as const;

/** The routines of inflating in plain TypeScript, on memory of their own, whose addresses are indices. */
export class PlainInflater implements InflateRoutines {
  readonly #bytes: Uint8Array;
  readonly #state: Int32Array;
  readonly #literalTable: Uint32Array;
  readonly #distanceTable: Uint32Array;
  readonly #lengths: Uint8Array;
  /* Bits at hand, the next one lowest, and where the others are: copies of the state while a routine works. */
  #bits = 0;
  #count = 0;
  #position = 0;
  #inputEnd = 0;
  #output = 0;

  constructor(memory: Uint8Array) {
    const { buffer } = memory;
    this.#bytes = memory;
    this.#state = new Int32Array(buffer, 0, stateFields);
    this.#literalTable = new Uint32Array(buffer, regions.literalTable, literalTableEntries);
    this.#distanceTable = new Uint32Array(buffer, regions.distanceTable, distanceTableEntries);
    this.#lengths = new Uint8Array(buffer, regions.lengths, literalSymbols + distanceSymbols);
  }

  readBlockHeader(): InflateStatus {
    this.#enter();
    if (this.#lacks(maxHeaderBytes)) return needsInput;
    const status = this.#readHeader();
    // What was invalid may only be missing.
    if (this.#isBehindInput()) return needsInput;
    if (status === coded || status === stored) this.#leave();
    return status;
  }

  copyStored(): InflateStatus {
    const state = this.#state;
    const left = state[field.storedLeft];
    const available = state[field.inputEnd] - state[field.position];
    const room = state[field.outputEnd] - state[field.output];
    const count = Math.min(left, available, room);
    const from = state[field.position];
    this.#bytes.copyWithin(state[field.output], from, from + count);
    state[field.position] += count;
    state[field.output] += count;
    state[field.storedLeft] -= count;
    if (count === left) return blockEnd;
    return count === available ? needsInput : isFull;
  }

  decodeSymbols(): InflateStatus {
    this.#enter();
    const state = this.#state;
    const outputEnd = state[field.outputEnd];
    this.#output = state[field.output];
    let status: InflateStatus = isFull;
    while (status === isFull && this.#output < outputEnd) {
      this.#takeLiterals(outputEnd);
      if (this.#output < outputEnd) status = this.#takeSymbol();
    }
    state[field.output] = this.#output;
    this.#leave();
    return status;
  }

  adler32(address: number, count: number, previous: number): number {
    return adler32(this.#bytes, address, address + count, previous);
  }

  prepareLongBlock(): void {}

  /** Literals, which are most of what comes, as far as input is certain. They go on where another symbol follows. */
  #takeLiterals(outputEnd: number): void {
    const bytes = this.#bytes;
    const table = this.#literalTable;
    const mask = (1 << this.#state[field.literalBits]) - 1;
    const certainEnd = this.#inputEnd - maxSymbolBytes;
    let bits = this.#bits;
    let count = this.#count;
    let position = this.#position;
    let output = this.#output;
    while (position < certainEnd && output < outputEnd) {
      for (; count <= 24; count += 8) bits |= bytes[position++] << count;
      const entry = table[bits & mask];
      if (entry < entryFlags.literal) break;
      bits >>>= entry & 63;
      count -= entry & 63;
      bytes[output++] = entry >>> literalShift;
    }
    this.#bits = bits;
    this.#count = count;
    this.#position = position;
    this.#output = output;
  }

  /** Any symbol. One that is not there in whole is undone. @returns `isFull` if more may follow. */
  #takeSymbol(): InflateStatus {
    if (this.#lacks(maxSymbolBytes)) return needsInput;
    const state = this.#state;
    const bits = this.#bits;
    const count = this.#count;
    const position = this.#position;
    const mask = (1 << state[field.literalBits]) - 1;
    const entry = this.#take(this.#literalTable, mask, entryFlags.exceptional);
    const isLiteral = entry >= entryFlags.literal;
    let status: InflateStatus = isFull;
    let length = 0;
    let distance = 0;
    if (!isLiteral && entry & entryFlags.exceptional) {
      status = entry & entryFlags.endOfBlock ? blockEnd : invalid;
    } else if (!isLiteral) {
      length = (entry >>> baseShift) + this.#takeExtra(entry);
      distance = this.#takeDistance();
      if (distance === 0 || distance > this.#output - state[field.historyStart]) status = invalid;
    }
    if (this.#isBehindInput()) {
      this.#bits = bits;
      this.#count = count;
      this.#position = position;
      return needsInput;
    }
    if (isLiteral) this.#bytes[this.#output++] = entry >>> literalShift;
    else if (status === isFull) this.#copyMatch(length, distance);
    return status;
  }

  /** @returns 0 if the code means none. */
  #takeDistance(): number {
    const mask = (1 << this.#state[field.distanceBits]) - 1;
    const entry = this.#take(this.#distanceTable, mask, entryFlags.exceptionalDistance);
    if (entry >= entryFlags.exceptionalDistance) return 0;
    return (entry >>> baseShift) + this.#takeExtra(entry);
  }

  #copyMatch(length: number, distance: number): void {
    const bytes = this.#bytes;
    const end = this.#output + length;
    for (let to = this.#output; to < end; to++) bytes[to] = bytes[to - distance];
    this.#output = end;
  }

  #enter(): void {
    this.#bits = this.#state[field.bits];
    this.#count = this.#state[field.count];
    this.#position = this.#state[field.position];
    this.#inputEnd = this.#state[field.inputEnd];
  }

  #leave(): void {
    this.#state[field.bits] = this.#bits;
    this.#state[field.count] = this.#count;
    this.#state[field.position] = this.#position;
  }

  /** Whether so many bytes might be there and are not yet. */
  #lacks(bytes: number): boolean {
    return this.#inputEnd - this.#position < bytes && this.#state[field.isFinal] === 0;
  }

  /** 25 bits or more at hand; zeros behind the end of the input. */
  #fetch(): void {
    while (this.#count <= 24) {
      if (this.#position < this.#inputEnd) this.#bits |= this.#bytes[this.#position] << this.#count;
      this.#position++;
      this.#count += 8;
    }
  }

  /** Whether bits were taken that are not there. */
  #isBehindInput(): boolean {
    return (this.#position - this.#inputEnd) * 8 > this.#count;
  }

  /** @param count 0 to 16. */
  #takeBits(count: number): number {
    this.#fetch();
    const value = this.#bits & ((1 << count) - 1);
    this.#consume(count);
    return value;
  }

  #consume(count: number): void {
    this.#bits >>>= count;
    this.#count -= count;
  }

  /** The entry of the next code, which is taken; its extra bits are not. */
  #take(table: Uint32Array, mask: number, exceptional: number): number {
    this.#fetch();
    let entry = table[this.#bits & mask];
    if ((entry & exceptional) !== 0 && (entry & entryFlags.subtable) !== 0) {
      this.#consume(entry & 63);
      const start = (entry >>> subtableStartShift) & 0x7fff;
      entry = table[start + (this.#bits & ((1 << ((entry >>> subtableBitsShift) & 15)) - 1))];
    }
    this.#consume((entry >>> subtableBitsShift) & 15);
    return entry;
  }

  #takeExtra(entry: number): number {
    return this.#takeBits((entry & 63) - ((entry >>> 8) & 15));
  }

  #readHeader(): InflateStatus {
    const state = this.#state;
    const isLast = this.#takeBits(1);
    const type = this.#takeBits(2);
    if (type === 3) return invalid;
    let status: InflateStatus = coded;
    if (type === 0) status = this.#readStoredLength();
    else if (type === 1) this.#useFixedCodes();
    else status = this.#readCodes();
    state[field.isLastBlock] = isLast;
    return status;
  }

  /** @see RFC 1951 3.2.4 */
  #readStoredLength(): InflateStatus {
    this.#consume(this.#count & 7);
    const length = this.#takeBits(16);
    const complement = this.#takeBits(16);
    // Whole bytes go back: what is stored is copied from there.
    this.#position -= this.#count >> 3;
    this.#bits = 0;
    this.#count = 0;
    this.#state[field.storedLeft] = length;
    return (length ^ complement) === 0xffff ? stored : invalid;
  }

  #useFixedCodes(): void {
    if (this.#state[field.hasFixedTables] !== 0) return;
    this.#buildTables(fixedLiteralLengths, fixedDistanceLengths);
    this.#state[field.hasFixedTables] = 1;
  }

  #buildTables(literals: Uint8Array, distances: Uint8Array): boolean {
    const { exceptional, exceptionalDistance } = entryFlags;
    const literalBits = buildTable(
      literals,
      literalMeanings,
      this.#literalTable,
      literalTableBits,
      exceptional,
      'completeOrOne',
    );
    const distanceBits = buildTable(
      distances,
      distanceMeanings,
      this.#distanceTable,
      distanceTableBits,
      exceptionalDistance,
      'completeOrOneOrNone',
    );
    this.#state[field.literalBits] = literalBits;
    this.#state[field.distanceBits] = distanceBits;
    return literalBits > 0 && distanceBits > 0;
  }

  /** @see RFC 1951 3.2.7 */
  #readCodes(): InflateStatus {
    const literals = this.#takeBits(5) + 257;
    const distances = this.#takeBits(5) + 1;
    const lengthCodes = this.#takeBits(4) + 4;
    if (literals > maxDeclaredLiterals || distances > maxDeclaredDistances) return invalid;
    const codeLengths = new Uint8Array(lengthCodeSymbols);
    for (let i = 0; i < lengthCodes; i++) codeLengths[lengthCodeOrder[i]] = this.#takeBits(3);
    this.#state[field.hasFixedTables] = 0;
    const table = this.#distanceTable;
    const bits = buildTable(codeLengths, lengthCodeMeanings, table, lengthCodeTableBits, 0, 'complete');
    if (bits === 0 || !this.#readLengths(literals + distances, (1 << bits) - 1)) return invalid;
    if (this.#lengths[endOfBlockSymbol] === 0) return invalid;
    const areCodes = this.#buildTables(
      this.#lengths.subarray(0, literals),
      this.#lengths.subarray(literals, literals + distances),
    );
    return areCodes ? coded : invalid;
  }

  /** Lengths of the codes of literals, then of distances, into `#lengths`. */
  #readLengths(total: number, mask: number): boolean {
    const lengths = this.#lengths;
    for (let filled = 0; filled < total; ) {
      const symbol = this.#take(this.#distanceTable, mask, 0) >>> baseShift;
      if (symbol < 16) {
        lengths[filled++] = symbol;
        continue;
      }
      if (symbol === 16 && filled === 0) return false;
      const repeated = symbol === 16 ? lengths[filled - 1] : 0;
      const times = this.#takeRepetition(symbol);
      if (filled + times > total) return false;
      lengths.fill(repeated, filled, filled + times);
      filled += times;
    }
    return true;
  }

  #takeRepetition(symbol: number): number {
    if (symbol === 16) return 3 + this.#takeBits(2);
    return symbol === 17 ? 3 + this.#takeBits(3) : 11 + this.#takeBits(7);
  }
}
