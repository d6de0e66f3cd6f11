import type { PixelArena } from '../../../pixel-arena.ts';
import { type HuffmanTable, lookaheadSize } from '../huffman.ts';
import { tableKinds, tableLayout } from './layout.ts';

/** What a table decodes. In progressive scans an end-of-band symbol may end many blocks. */
export type TableKind = keyof typeof tableKinds;

/** Places each Huffman table once, because chroma components mostly share theirs. */
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

/**
 * Look-ups by the next `lookaheadBits` bits. An entry of 0 means that the look-ahead holds nothing whole.
 *
 * `pairs`, for AC: up to two coefficients and the end of the block, if they lie whole in the look-ahead. In the low word:
 * bits consumed in bits 0 to 5, how far the zigzag index advances in bits 8 to 13, whether the block ends in bit 14;
 * where the coefficients belong, relative to the index and times 4, in bits 18 to 21 and 24 to 28. In the high word:
 * their values, 16 bits each. If there is no second coefficient, its value is 0.
 *
 * `direct`, for AC in a sequential scan: `HuffmanTable.skips`. For other kinds one symbol: bits consumed in bits 0 to 5,
 * the run in bits 8 to 11, whether the block ends in bit 14, the value in bits 16 to 31.
 *
 * test/image/codecs/jpeg/scan-tables.test.ts makes them in TypeScript.
 */
function placeTable(arena: PixelArena, table: HuffmanTable, kind: TableKind): number {
  const address = arena.allocate(tableLayout.bytes);
  const { buffer } = arena.bytes;
  new Uint16Array(buffer, address + tableLayout.symbols, lookaheadSize).set(table.symbols);
  new Int32Array(buffer, address + tableLayout.maxCode, table.maxCode.length).set(table.maxCode);
  new Int32Array(buffer, address + tableLayout.valueOffset, table.valueOffset.length).set(table.valueOffset);
  arena.bytes.set(table.values, address + tableLayout.values);
  arena.routines.build_scan_table(address, tableKinds[kind]);
  return address;
}
