import type { PixelArena } from '../../../pixel-kernels/pixel-kernels.ts';
import { extend, type HuffmanTable, lookaheadBits, lookaheadSize } from '../huffman.ts';
import { zigzag } from '../segments.ts';
import { stepsBytes, tableLayout, unreadOffset } from './layout.ts';

/** Marks an entry of `pairs` that the end of the block closes. */
export const pairEndBit = 14;
export const pairEnd = 1 << pairEndBit;
const zeroRunOf16 = 0xf0;

/** What a table decodes; in progressive scans an end of a block may be one of many. */
export type TableKind = 'dc' | 'ac' | 'progressiveAc';

/** Places Huffman tables, each once: chroma components mostly share theirs. */
export class TablePlacer {
  readonly #arena: PixelArena;
  readonly #placed = new Map<HuffmanTable, number>();

  constructor(arena: PixelArena) {
    this.#arena = arena;
  }

  /** @returns the address at which the table stands as `tableLayout` says. */
  place(table: HuffmanTable, kind: TableKind): number {
    const address = this.#placed.get(table) ?? placeTable(this.#arena, table, kind);
    this.#placed.set(table, address);
    return address;
  }
}

function placeTable(arena: PixelArena, table: HuffmanTable, kind: TableKind): number {
  const address = arena.allocate(tableLayout.bytes);
  const { buffer } = arena.bytes;
  new Uint16Array(buffer, address + tableLayout.symbols, lookaheadSize).set(table.symbols);
  new Int32Array(buffer, address + tableLayout.maxCode, table.maxCode.length).set(table.maxCode);
  new Int32Array(buffer, address + tableLayout.valueOffset, table.valueOffset.length).set(table.valueOffset);
  arena.bytes.set(table.values, address + tableLayout.values);
  const direct = new Int32Array(buffer, address + tableLayout.direct, lookaheadSize);
  if (kind === 'dc') {
    writeDifferences(direct, table.symbols);
  } else {
    const pairs = new Int32Array(buffer, address + tableLayout.pairs, lookaheadSize * 2);
    writePairs(pairs, table.symbols, kind === 'progressiveAc');
    if (kind === 'ac') direct.set(table.skips);
    else writeCorrections(direct, table.symbols);
  }
  return address;
}

/** For DC differences that lie whole in the look-ahead: value in bits 16 to 31, bits consumed in bits 0 to 5. */
function writeDifferences(differences: Int32Array, symbols: Uint16Array): void {
  for (let prefix = 0; prefix < lookaheadSize; prefix++) {
    const { total, value } = readSymbol(prefix, 0, symbols, false);
    if (total <= lookaheadBits) differences[prefix] = (value << 16) | total;
  }
}

/**
 * For refinements of AC: bits consumed in bits 0 to 5, the run in bits 8 to 11, whether the block ends in bit 14; in
 * bits 16 to 31 the sign of a new coefficient, 0 if there is none.
 *
 * @see ITU-T T.81 G.1.2.3
 */
function writeCorrections(corrections: Int32Array, symbols: Uint16Array): void {
  for (let prefix = 0; prefix < lookaheadSize; prefix++) {
    const entry = symbols[prefix];
    const run = (entry >> 4) & 15;
    const isNew = (entry & 15) !== 0;
    const total = (entry >> 8) + (isNew ? 1 : 0);
    const isEnd = !isNew && run === 0;
    if (entry === 0 || total > lookaheadBits || (!isNew && run > 0 && run < 15)) continue;
    const sign = isNew ? ((prefix >> (lookaheadBits - total)) & 1) * 2 - 1 : 0;
    corrections[prefix] = (sign << 16) | (isEnd ? pairEnd : 0) | (run << 8) | total;
  }
}

/**
 * Up to two AC coefficients, and the end of the block, that lie whole in the look-ahead. In the low word: bits
 * consumed in bits 0 to 5, how far the zigzag index advances in bits 8 to 13, whether the block ends in bit 14;
 * where the coefficients belong, relative to the index and times 4, in bits 18 to 21 and 24 to 28. In the high
 * word: their values, 16 bits each. A coefficient that is none has the value 0.
 */
function writePairs(pairs: Int32Array, symbols: Uint16Array, progressive: boolean): void {
  for (let prefix = 0; prefix < lookaheadSize; prefix++) {
    const first = readSymbol(prefix, 0, symbols, progressive);
    if (first.total > lookaheadBits) continue;
    if (first.isEnd) {
      pairs[prefix * 2] = pairEnd | first.total;
      continue;
    }
    let { total } = first;
    let advance = first.run + 1;
    let place = advance;
    let value = 0;
    let end = 0;
    const second = readSymbol(prefix, total, symbols, progressive);
    if (second.total <= lookaheadBits && !second.isEnd) {
      place = advance + second.run;
      ({ total, value } = second);
      advance = place + 1;
    }
    const third = readSymbol(prefix, total, symbols, progressive);
    if (third.total <= lookaheadBits && third.isEnd) {
      ({ total } = third);
      end = pairEnd;
    }
    pairs[prefix * 2] = total | (advance << 8) | end | (first.run << 18) | (place << 24);
    pairs[prefix * 2 + 1] = (first.value & 0xffff) | (value << 16);
  }
}

interface PrefixSymbol {
  /** Bits of the look-ahead that are used up behind the symbol and its value; more than it has if it is not there. */
  readonly total: number;
  readonly run: number;
  readonly value: number;
  readonly isEnd: boolean;
}

/** The symbol behind the first `bits` of a look-ahead; not an end of several blocks. @see ITU-T T.81 G.1.2.2 */
function readSymbol(prefix: number, bits: number, symbols: Uint16Array, progressive: boolean): PrefixSymbol {
  // Zeros stand for the bits that are not known: a code that needs some of them is found to be too long.
  const entry = symbols[(prefix << bits) & (lookaheadSize - 1)];
  const symbol = entry & 255;
  const size = symbol & 15;
  const isEnd = size === 0 && symbol !== zeroRunOf16;
  const isNotThere = entry === 0 || (progressive && isEnd && symbol !== 0);
  const total = isNotThere ? lookaheadBits + 1 : bits + (entry >> 8) + size;
  const magnitude = total <= lookaheadBits ? (prefix >> (lookaheadBits - total)) & ((1 << size) - 1) : 0;
  return { total, run: symbol >> 4, value: size === 0 ? 0 : extend(magnitude, size), isEnd };
}

/**
 * For each zigzag index, and for what runs may reach behind the last: the divisor in bits 9 to 24 and the byte
 * offset in a block in bits 0 to 8.
 *
 * @param lastKept index behind which coefficients are dropped.
 */
export function placeSteps(arena: PixelArena, quantization: Int32Array, lastKept: number): number {
  const address = arena.allocate(stepsBytes);
  const steps = new Int32Array(arena.bytes.buffer, address, stepsBytes / Int32Array.BYTES_PER_ELEMENT);
  steps.fill(unreadOffset);
  for (let k = 0; k <= lastKept; k++) {
    steps[k] = (quantization[k] << 9) | (zigzag[k] * Int32Array.BYTES_PER_ELEMENT);
  }
  return address;
}
