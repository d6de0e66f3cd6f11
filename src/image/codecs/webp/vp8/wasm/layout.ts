/* How what the routines work on is laid out in linear memory: distances in bytes. */

/** A decoder of `BoolDecoder`'s kind. The value is aligned to its upper end; behind it, `range` of 8 bits. */
export const boolLayout = {
  value: 0,
  /** Bits of the value that are at hand, less 8: below 0, bytes are fetched. */
  count: 8,
  range: 12,
  /** Addresses of the next byte, and behind the last. */
  position: 16,
  end: 20,
  exhausted: 24,
} as const;
export const boolBytes = 32;

/** Of the probabilities, by position instead of by band: [4 types][17 positions][3 contexts][11 nodes]. */
export const positionBytes = 33;
export const contextBytes = 11;
export const typeBytes = 17 * positionBytes;

/** Tables of the coefficients' reader. */
export const tokenTables = {
  probabilities: 0,
  /** 16 bytes: where each coefficient of a block stands, in bytes. */
  zigzag: 2256,
  /** Four rows of 12 bytes, each ended by 0. */
  categories: 2272,
} as const;
export const categoryBytes = 12;
export const tokenTablesBytes = 2272 + 4 * categoryBytes;

/** Steps of a segment, as i32. */
export const quantizerLayout = {
  lumaDc: 0,
  lumaAc: 4,
  secondDc: 8,
  secondAc: 12,
  chromaDc: 16,
  chromaAc: 20,
} as const;
export const quantizerBytes = 32;

/** What the loop filter filters of a macroblock: a bit each. */
export const filteredEdges = { left: 1, above: 2, inner: 4 } as const;

/** Of each mode of 4 x 4: which means of two, then which of three, its 16 samples are. 16 bytes each; 255 for none. */
export const submodeMasksBytes = 10 * 32;
/** Where a macroblock is. */
export const macroblockPlace = { hasLeft: 1, hasAbove: 2, isLast: 4 } as const;
