import type { PixelArena } from '../../../pixel-arena.ts';
import { blockEnd, type HuffmanTable, lookaheadBits, lookaheadSize, toSingle } from '../huffman.ts';
import { tableLayout } from './layout.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** What a table decodes. In progressive scans an end may be one of many blocks. */
export type TableKind = 'dc' | 'ac' | 'acFirst' | 'acRefinement';

/** Places Huffman tables, each once: chroma components mostly share theirs. */
export class TablePlacer {
  readonly #arena: PixelArena;
  readonly #placed: Record<TableKind, Map<HuffmanTable, number>> = {
    dc: new Map(),
    ac: new Map(),
    acFirst: new Map(),
    acRefinement: new Map(),
  };

  constructor(arena: PixelArena) {
    this.#arena = arena;
  }

  /** @returns the address at which the table stands as `tableLayout` says. */
  place(table: HuffmanTable, kind: TableKind): number {
    const placed = this.#placed[kind];
    const address = placed.get(table) ?? placeTable(this.#arena, table, kind);
    placed.set(table, address);
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
  const pairs = new Int32Array(buffer, address + tableLayout.pairs, lookaheadSize * 2);
  if (kind === 'dc') writeDifferences(direct, table.symbols);
  else {
    writeSingles(singles, table.symbols, kind);
    writePairs(pairs);
  }
  if (kind === 'ac') direct.set(table.skips);
  if (kind === 'acRefinement') direct.set(singles);
  return address;
}

/** For DC differences that lie whole in the look-ahead: value in bits 16 to 31, bits consumed in bits 0 to 5. */
function writeDifferences(differences: Int32Array, symbols: Uint16Array): void {
  for (let prefix = 0; prefix < lookaheadSize; prefix++) {
    differences[prefix] = toSingle(symbols[prefix]!, prefix) & ~blockEnd;
  }
}

/** Symbols that lie whole in the look-ahead: `toSingle` of each prefix. Written anew for each table. */
const singles = new Int32Array(lookaheadSize);

/** An end that is one of many blocks is left out, and of a new coefficient in refinements there is a sign alone. */
function writeSingles(to: Int32Array, symbols: Uint16Array, kind: TableKind): void {
  const isRefinement = kind === 'acRefinement';
  const isProgressive = isRefinement || kind === 'acFirst';
  for (let prefix = 0; prefix < lookaheadSize; prefix++) {
    const symbol = symbols[prefix]!;
    // Whatever size a symbol names, one bit follows. @see ITU-T T.81 G.1.2.3
    const isSign = isRefinement && (symbol & 15) !== 0;
    const single = toSingle(isSign ? (symbol & ~15) | 1 : symbol, prefix);
    to[prefix] = isProgressive && isEndOfMany(single) ? 0 : single;
  }
}

/**
 * Up to two AC coefficients, and the end of the block, that lie whole in the look-ahead. In the low word: bits
 * consumed in bits 0 to 5, how far the zigzag index advances in bits 8 to 13, whether the block ends in bit 14;
 * where the coefficients belong, relative to the index and times 4, in bits 18 to 21 and 24 to 28. In the high
 * word: their values, 16 bits each. A coefficient that is none has the value 0.
 */
function writePairs(pairs: Int32Array): void {
  for (let prefix = 0; prefix < lookaheadSize; prefix++) {
    const first = singles[prefix]!;
    if (first === 0) continue;
    if ((first & blockEnd) !== 0) {
      pairs[prefix * 2] = blockEnd | (first & 63);
      continue;
    }
    const run = (first >> 8) & 15;
    let bits = first & 63;
    let advance = run + 1;
    let place = advance;
    let value = 0;
    let end = 0;
    // Zeros stand for the bits that are not known: a symbol that needs some of them is found to be too long.
    let next = singles[(prefix << bits) & (lookaheadSize - 1)]!;
    if (next !== 0 && (next & blockEnd) === 0 && bits + (next & 63) <= lookaheadBits) {
      place = advance + ((next >> 8) & 15);
      advance = place + 1;
      bits += next & 63;
      value = next >> 16;
      next = singles[(prefix << bits) & (lookaheadSize - 1)]!;
    }
    if ((next & blockEnd) !== 0 && bits + (next & 63) <= lookaheadBits) {
      bits += next & 63;
      end = blockEnd;
    }
    pairs[prefix * 2] = bits | (advance << 8) | end | (run << 18) | (place << 24);
    pairs[prefix * 2 + 1] = ((first >> 16) & 0xffff) | (value << 16);
  }
}

/** Bits that say how many blocks follow such a symbol. @see ITU-T T.81 G.1.2.2 */
function isEndOfMany(single: number): boolean {
  return (single & blockEnd) !== 0 && ((single >> 8) & 15) > 0;
}
