import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  blockEnd,
  HuffmanTable,
  lookaheadBits,
  lookaheadSize,
  toSingle,
} from '../../../../src/image/codecs/jpeg/huffman.ts';
import { typicalHuffman } from '../../../../src/image/codecs/jpeg/typical-huffman.ts';
import { tableKinds, tableLayout } from '../../../../src/image/codecs/jpeg/wasm/layout.ts';
import { type TableKind, TablePlacer } from '../../../../src/image/codecs/jpeg/wasm/tables.ts';
import { fuzz } from '../../../fuzz.ts';
import { createRoutines } from '../../fixtures.ts';

const routines = createRoutines();
const kinds = Object.keys(tableKinds) as TableKind[];

/** The look-ups that a routine makes. */
function build(table: HuffmanTable, kind: TableKind) {
  const arena = routines.borrow()!;
  try {
    const address = new TablePlacer(arena).place(table, kind);
    const { buffer } = arena.bytes;
    return {
      direct: new Int32Array(buffer, address + tableLayout.direct, lookaheadSize).slice(),
      pairs: new Int32Array(buffer, address + tableLayout.pairs, lookaheadSize * 2).slice(),
    };
  } finally {
    arena.release();
  }
}

/** The same, to be checked by eye. */
function buildPlainly(table: HuffmanTable, kind: TableKind) {
  const singles = Int32Array.from(table.symbols, (symbol, prefix) => writeSingle(symbol, prefix, kind));
  const pairs = new Int32Array(lookaheadSize * 2);
  if (kind !== 'dc') writePairs(pairs, singles);
  return { direct: kind === 'ac' ? table.skips : singles, pairs };
}

function writeSingle(symbol: number, prefix: number, kind: TableKind): number {
  // Whatever size a symbol of a refinement names, one bit follows.
  const isSign = kind === 'acRefinement' && (symbol & 15) !== 0;
  const single = toSingle(isSign ? (symbol & ~15) | 1 : symbol, prefix);
  if (kind === 'dc') return single & ~blockEnd;
  const isEndOfMany = (single & blockEnd) !== 0 && ((single >> 8) & 15) > 0;
  return isEndOfMany && kind !== 'ac' ? 0 : single;
}

function writePairs(pairs: Int32Array, singles: Int32Array): void {
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

/** Counts of codes of each length that leave a code over, and as many symbols. */
const anyTable = fc
  .record({
    seeds: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 16, maxLength: 16 }),
    symbols: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 256, maxLength: 256 }),
  })
  .map(({ seeds, symbols }) => {
    let codes = 1;
    let total = 0;
    const counts = seeds.map((seed) => {
      codes = Math.min(codes * 2, 1 << 12);
      const count = Math.min(Math.floor((codes * seed) / 8), 256 - total);
      codes -= count;
      total += count;
      return count;
    });
    return new HuffmanTable(Uint8Array.from(counts), Uint8Array.from(symbols));
  });

it.each(kinds)('the look-ups of %s that a routine makes are those of plain TypeScript', (kind) => {
  const typical = typicalHuffman.flatMap(({ dc, ac }) => [dc, ac]);
  for (const { counts, values } of typical) {
    const table = new HuffmanTable(counts, values);
    expect(build(table, kind)).toEqual(buildPlainly(table, kind));
  }
  fc.assert(
    fc.property(anyTable, (table) => {
      const { direct, pairs } = build(table, kind);
      const plain = buildPlainly(table, kind);
      expect(Buffer.compare(new Uint8Array(direct.buffer), new Uint8Array(plain.direct.buffer))).toBe(0);
      expect(Buffer.compare(new Uint8Array(pairs.buffer), new Uint8Array(plain.pairs.buffer))).toBe(0);
    }),
    fuzz(100),
  );
});
