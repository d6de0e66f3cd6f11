import { malformed } from '../image-error.ts';

/** Codes up to this length are decoded by one look-up. */
export const lookaheadBits = 11;
export const maxCodeLength = 16;
export const lookaheadSize = 1 << lookaheadBits;
/** Symbols of one table. @see ITU-T T.81 B.2.4.2: V(i,j) is one byte */
export const maxSymbols = 256;
/** Marks an entry of `skips` that the end of the block closes. */
export const skipEnd = 1 << 16;

/**
 * One Huffman table, ready to decode with. The look-ups are indexed by the next `lookaheadBits` bits of
 * the stream; an entry of 0 says "not here" (the code is longer, or no code).
 *
 * @see ITU-T T.81 annex C (code generation) and F.2.2.3 (decoding); libjpeg `jpeg_make_d_derived_tbl`
 */
export interface HuffmanTable {
  /** Symbol in bits 0 to 7, code length in the bits above. */
  readonly symbols: Uint16Array;
  /**
   * For AC coefficients whose code and value fit into the look-ahead: value in bits 16 to 31 (signed),
   * zero run in bits 8 to 11, bits consumed in bits 0 to 7.
   */
  readonly coefficients: Int32Array;
  /**
   * To pass over AC coefficients, as many as the look-ahead holds whole: bits consumed in bits 0 to 7, how far
   * the index advances in bits 8 to 15, and whether the end of the block follows at once in bit 16.
   */
  readonly skips: Int32Array;
  /** Largest code of each length (index 1 to 16), -1 where there is none; index 17 stops the search. */
  readonly maxCode: Int32Array;
  /** What to add to a code of each length to get the index of its symbol. */
  readonly valueOffset: Int32Array;
  readonly values: Uint8Array;
}

/**
 * @param counts number of codes of each length, 1 to 16.
 * @param values symbols in order of their codes; at least as many as `counts` says.
 * @throws {CodedError} `image_malformed` if there are more codes of a length than the shorter ones leave.
 */
export function buildHuffmanTable(counts: Uint8Array, values: Uint8Array): HuffmanTable {
  const symbols = new Uint16Array(lookaheadSize);
  const maxCode = new Int32Array(maxCodeLength + 2).fill(-1);
  const valueOffset = new Int32Array(maxCodeLength + 1);
  maxCode[maxCodeLength + 1] = 0x7fffffff;

  let code = 0;
  let index = 0;
  for (let length = 1; length <= maxCodeLength; length++) {
    valueOffset[length] = index - code;
    for (let i = 0; i < counts[length - 1]; i++, index++, code++) {
      if (length <= lookaheadBits) {
        const spare = lookaheadBits - length;
        symbols.fill((length << 8) | values[index], code << spare, (code + 1) << spare);
      }
    }
    if (counts[length - 1] > 0) maxCode[length] = code - 1;
    if (code > 1 << length) throw malformed('jpeg', 'a Huffman table has too many codes of one length');
    code <<= 1;
  }
  const { coefficients, skips } = buildCoefficientLookups(symbols);
  return { symbols, coefficients, skips, maxCode, valueOffset, values };
}

/** Most AC coefficients have a short code and a short value: code, run and value then take one look-up. */
function buildCoefficientLookups(symbols: Uint16Array): { coefficients: Int32Array; skips: Int32Array } {
  const coefficients = new Int32Array(lookaheadSize);
  const skips = new Int32Array(lookaheadSize);
  for (let prefix = 0; prefix < lookaheadSize; prefix++) {
    skips[prefix] = toSkip(prefix, symbols);
    const run = (symbols[prefix] >> 4) & 15;
    const size = symbols[prefix] & 15;
    const total = (symbols[prefix] >> 8) + size;
    if (size > 0 && total <= lookaheadBits) {
      const magnitude = (prefix >> (lookaheadBits - total)) & ((1 << size) - 1);
      coefficients[prefix] = (extend(magnitude, size) << 16) | (run << 8) | total;
    }
  }
  return { coefficients, skips };
}

/** What the symbols do that lie in `prefix` with their values; 0 if not even the code of one does. */
function toSkip(prefix: number, symbols: Uint16Array): number {
  let bits = 0;
  let advance = 0;
  for (;;) {
    // Zeros stand for the bits that are not known: a code that needs some of them is found to be too long.
    const symbol = symbols[(prefix << bits) & (lookaheadSize - 1)];
    const run = (symbol >> 4) & 15;
    const size = symbol & 15;
    const total = bits + (symbol >> 8) + size;
    // A first symbol may have a value that reaches beyond the look-ahead: it is not looked at.
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
