import { malformed } from '../../image-error.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Codes up to this length are decoded by one look-up. */
export const lookaheadBits = 11;
export const maxCodeLength = 16;
export const lookaheadSize = 1 << lookaheadBits;
/** Symbols of one table. @see ITU-T T.81 B.2.4.2: V(i,j) is one byte */
export const maxSymbols = 256;
/** The symbol that stands for 16 zeros and not for a coefficient (ZRL). @see ITU-T T.81 F.1.2.2.1 */
export const zeroRunOf16 = 0xf0;
/** Bit that marks an entry whose last symbol ends the block. */
export const blockEndBit = 14;
export const blockEnd = 1 << blockEndBit;
/** Marks an entry of `skips` whose last symbol is the end of the block. */
export const skipEnd = 1 << 16;

/**
 * One Huffman table, ready to decode with. The look-ups are indexed by the next `lookaheadBits` bits of
 * the stream. An entry of 0 means that the look-ahead holds no whole code. The tables for AC are made when they are first
 * used, because DC and the routines do not need them.
 *
 * @see ITU-T T.81 annex C (code generation) and F.2.2.3 (decoding); libjpeg `jpeg_make_d_derived_tbl`
 */
export class HuffmanTable {
  /** Symbol in bits 0 to 7, code length in the bits above. */
  readonly symbols = new Uint16Array(lookaheadSize);
  /** Largest code of each length (index 1 to 16), -1 if there is none; index 17 stops the search. */
  readonly maxCode = new Int32Array(maxCodeLength + 2).fill(-1);
  /** What to add to a code of each length to get the index of its symbol. */
  readonly valueOffset = new Int32Array(maxCodeLength + 1);
  readonly values: Uint8Array;
  #coefficients: Int32Array | undefined;
  #skips: Int32Array | undefined;

  /**
   * @param counts number of codes of each length, 1 to 16.
   * @param values symbols in order of their codes; at least as many as `counts` says.
   * @throws {CodedError} `image_malformed` if there are more codes of a length than the shorter ones leave.
   */
  constructor(counts: Uint8Array, values: Uint8Array) {
    this.values = values;
    this.maxCode[maxCodeLength + 1] = 0x7fffffff;
    let code = 0;
    let index = 0;
    for (let length = 1; length <= maxCodeLength; length++) {
      this.valueOffset[length] = index - code;
      for (let i = 0; i < counts[length - 1]!; i++, index++, code++) {
        if (length <= lookaheadBits) {
          const spare = lookaheadBits - length;
          this.symbols.fill((length << 8) | values[index]!, code << spare, (code + 1) << spare);
        }
      }
      if (counts[length - 1]! > 0) this.maxCode[length] = code - 1;
      if (code > 1 << length) throw malformed('jpeg', 'a Huffman table has too many codes of one length');
      code <<= 1;
    }
  }

  /**
   * For AC coefficients whose code and value fit into the look-ahead: value in bits 16 to 31 (signed),
   * zero run in bits 8 to 11, bits consumed in bits 0 to 7.
   */
  get coefficients(): Int32Array {
    this.#coefficients ??= Int32Array.from(this.symbols, toCoefficient);
    return this.#coefficients;
  }

  /**
   * To skip all AC coefficients that lie whole in the look-ahead: bits consumed in bits 0 to 7, how far the index
   * advances in bits 8 to 15, and in bit 16 whether the end of the block follows at once.
   */
  get skips(): Int32Array {
    this.#skips ??= toSkips(this.symbols);
    return this.#skips;
  }
}

/** Most AC coefficients have a short code and a short value: code, run and value then take one look-up. */
function toCoefficient(entry: number, prefix: number): number {
  return (entry & 15) === 0 ? 0 : toSingle(entry, prefix);
}

/**
 * A symbol and its value, or 0 if they do not lie whole in the look-ahead: bits consumed in bits 0 to 5, the run in
 * bits 8 to 11, whether the symbol ends the block in bit 14 (`blockEndBit`), the value in bits 16 to 31.
 *
 * @param entry of `HuffmanTable.symbols`, of that prefix.
 */
export function toSingle(entry: number, prefix: number): number {
  const symbol = entry & 255;
  const size = symbol & 15;
  const bits = (entry >> 8) + size;
  if (entry === 0 || bits > lookaheadBits) return 0;
  const end = size === 0 && symbol !== zeroRunOf16 ? blockEnd : 0;
  const value = size === 0 ? 0 : extend((prefix >> (lookaheadBits - bits)) & ((1 << size) - 1), size);
  return (value << 16) | end | ((symbol >> 4) << 8) | bits;
}

/** `toSkip` of each prefix. A loop takes a tenth of the time of `Int32Array.from` with a function. */
function toSkips(symbols: Uint16Array): Int32Array {
  const skips = new Int32Array(lookaheadSize);
  for (let prefix = 0; prefix < lookaheadSize; prefix++) skips[prefix] = toSkip(prefix, symbols);
  return skips;
}

/** The entry for all symbols that lie in `prefix` with their values; 0 if `prefix` does not hold one whole code. */
function toSkip(prefix: number, symbols: Uint16Array): number {
  let bits = 0;
  let advance = 0;
  for (;;) {
    // Zeros stand for unknown bits. A code that needs some of them is longer than the known bits, which is checked.
    const symbol = symbols[(prefix << bits) & (lookaheadSize - 1)]!;
    const run = (symbol >> 4) & 15;
    const size = symbol & 15;
    const total = bits + (symbol >> 8) + size;
    // The first symbol's value may reach beyond the look-ahead, because a skip does not read it.
    if (symbol === 0 || (total > lookaheadBits && bits > 0)) break;
    bits = total;
    if (size === 0 && run < 15) return skipEnd | (advance << 8) | bits;
    advance += run + 1;
    if (bits > lookaheadBits) break;
  }
  return (advance << 8) | bits;
}

/** The signed value that `size` bits stand for. @see ITU-T T.81 F.2.2.1, figure F.12 (EXTEND) */
export function extend(magnitude: number, size: number): number {
  return magnitude < 1 << (size - 1) ? magnitude - (1 << size) + 1 : magnitude;
}
