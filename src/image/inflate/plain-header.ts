import { type InflateStatus, inflateStatus, regions } from './layout.ts';
import type { PlainBits } from './plain-bits.ts';
import { buildTable } from './plain-tables.ts';
import { field } from './state-words.ts';
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
  literalSymbols,
  literalTableBits,
  literalTableEntries,
  maxDeclaredDistances,
  maxDeclaredLiterals,
} from './symbols.ts';

const { coded, stored, invalid } = inflateStatus;

/** Reads the headers of blocks, and keeps the tables of their codes. */
export class PlainHeader {
  readonly literalTable: Uint32Array;
  readonly distanceTable: Uint32Array;
  readonly #bits: PlainBits;
  readonly #lengths: Uint8Array;

  constructor(memory: Uint8Array, bits: PlainBits) {
    const { buffer } = memory;
    this.#bits = bits;
    this.literalTable = new Uint32Array(buffer, regions.literalTable, literalTableEntries);
    this.distanceTable = new Uint32Array(buffer, regions.distanceTable, distanceTableEntries);
    this.#lengths = new Uint8Array(buffer, regions.lengths, literalSymbols + distanceSymbols);
  }

  /** @returns `coded`, `stored` or `invalid`, which may only mean that some of it is missing. */
  read(): InflateStatus {
    const bits = this.#bits;
    bits.state[field.isLastBlock] = bits.take(1);
    switch (bits.take(2)) {
      case 0:
        return this.#readStoredLength();
      case 1:
        return this.#useFixedCodes();
      case 2:
        return this.#readCodes();
      default:
        return invalid;
    }
  }

  /** @see RFC 1951 3.2.4 */
  #readStoredLength(): InflateStatus {
    const bits = this.#bits;
    bits.consume(bits.count & 7);
    const length = bits.take(16);
    const complement = bits.take(16);
    // Whole bytes go back: what is stored is copied from there.
    bits.position -= bits.count >> 3;
    bits.bits = 0;
    bits.count = 0;
    bits.state[field.storedLeft] = length;
    return (length ^ complement) === 0xffff ? stored : invalid;
  }

  #useFixedCodes(): InflateStatus {
    const { state } = this.#bits;
    if (state[field.hasFixedTables] === 0) this.#buildTables(fixedLiteralLengths, fixedDistanceLengths);
    state[field.hasFixedTables] = 1;
    return coded;
  }

  #buildTables(literals: Uint8Array, distances: Uint8Array): boolean {
    const { exceptional, exceptionalDistance } = entryFlags;
    const literalBits = buildTable(
      literals,
      literalMeanings,
      this.literalTable,
      literalTableBits,
      exceptional,
      'completeOrOne',
    );
    const distanceBits = buildTable(
      distances,
      distanceMeanings,
      this.distanceTable,
      distanceTableBits,
      exceptionalDistance,
      'completeOrOneOrNone',
    );
    const { state } = this.#bits;
    state[field.literalBits] = literalBits;
    state[field.distanceBits] = distanceBits;
    return literalBits > 0 && distanceBits > 0;
  }

  /** @see RFC 1951 3.2.7 */
  #readCodes(): InflateStatus {
    const bits = this.#bits;
    const literals = bits.take(5) + 257;
    const distances = bits.take(5) + 1;
    const lengthCodes = bits.take(4) + 4;
    if (literals > maxDeclaredLiterals || distances > maxDeclaredDistances) return invalid;
    const codeLengths = new Uint8Array(lengthCodeSymbols);
    for (let i = 0; i < lengthCodes; i++) codeLengths[lengthCodeOrder[i]!] = bits.take(3);
    bits.state[field.hasFixedTables] = 0;
    // The table of codes for lengths stands where that of distances will.
    const table = this.distanceTable;
    const tableBits = buildTable(codeLengths, lengthCodeMeanings, table, lengthCodeTableBits, 0, 'complete');
    if (tableBits === 0 || !this.#readLengths(literals + distances, (1 << tableBits) - 1)) return invalid;
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
      const symbol = this.#bits.takeCode(this.distanceTable, mask, 0) >>> baseShift;
      if (symbol < 16) {
        lengths[filled++] = symbol;
        continue;
      }
      if (symbol === 16 && filled === 0) return false;
      const repeated = symbol === 16 ? lengths[filled - 1]! : 0;
      const times = this.#takeRepetition(symbol);
      if (filled + times > total) return false;
      lengths.fill(repeated, filled, filled + times);
      filled += times;
    }
    return true;
  }

  #takeRepetition(symbol: number): number {
    if (symbol === 16) return 3 + this.#bits.take(2);
    return symbol === 17 ? 3 + this.#bits.take(3) : 11 + this.#bits.take(7);
  }
}
