import { BoolDecoder } from './bool-decoder.ts';
import type { FrameHeader } from './frame-header.ts';
import { inverseWht } from './inverse-transforms.ts';
import type { MacroblockModes } from './modes.ts';
import type { Quantizer } from './quantizers.ts';
import { blockType, readBlock } from './tokens.ts';

/** Of luma, then of each chroma plane. */
export const blocksPerMacroblock = 16 + 4 + 4;
export const coefficientsPerBlock = 16;

/** What of a block is not zero: it decides which transform is enough. */
export const blockContent = { empty: 0, dc: 1, ac: 2 } as const;

/** What reads the coefficients of macroblocks in raster order. */
export interface Residuals {
  /** 24 blocks of 16 coefficients, row by row, of the macroblock that was read last. */
  readonly coefficients: Int16Array;
  /** One of `blockContent` for each block. */
  readonly content: Uint8Array;
  /** True once a byte behind the end of the row's partition was needed. */
  readonly exhausted: boolean;
  startRow(row: number): void;
  /** For a macroblock without coefficients. */
  skip(column: number, modes: MacroblockModes): void;
  /** @returns whether there are any coefficients. */
  read(column: number, modes: MacroblockModes): boolean;
}

/** Flags of a macroblock: whether its blocks have coefficients. 4 of luma, 2 of each chroma plane, one of second order. */
export const flagsPerMacroblock = 9;
export const secondFlag = 8;

/** Clears the flags of a macroblock without coefficients. What is known of the second order stays where it has none. */
export function clearFlags(flags: Uint8Array, at: number, { hasSubmodes }: MacroblockModes): void {
  flags.fill(0, at, at + (hasSubmodes ? secondFlag : flagsPerMacroblock));
}

/**
 * `Residuals` in plain TypeScript.
 *
 * Indexes are in range: flags are 9 a macroblock, segments 4.
 *
 * @see RFC 6386 section 13
 */
export class ResidualsReader implements Residuals {
  readonly coefficients = new Int16Array(blocksPerMacroblock * coefficientsPerBlock);
  readonly content = new Uint8Array(blocksPerMacroblock);
  readonly #header: FrameHeader;
  readonly #partitions: readonly BoolDecoder[];
  #bools: BoolDecoder;
  readonly #probabilities: Uint8Array;
  /** Whether the blocks above have coefficients, and those on the left. */
  readonly #above: Uint8Array;
  readonly #left = new Uint8Array(flagsPerMacroblock);
  readonly #second = new Int16Array(coefficientsPerBlock);

  /** @param columns macroblocks of a row. */
  constructor(bytes: Uint8Array, header: FrameHeader, columns: number) {
    this.#header = header;
    this.#partitions = header.partitions.map(({ start, end }) => new BoolDecoder(bytes, start, end));
    this.#bools = this.#partitions[0]!;
    this.#probabilities = header.coefficientProbabilities;
    this.#above = new Uint8Array(columns * flagsPerMacroblock);
  }

  get exhausted(): boolean {
    return this.#bools.exhausted;
  }

  startRow(row: number): void {
    this.#left.fill(0);
    this.#bools = this.#partitions[row % this.#partitions.length]!;
  }

  skip(column: number, modes: MacroblockModes): void {
    clearFlags(this.#above, column * flagsPerMacroblock, modes);
    clearFlags(this.#left, 0, modes);
    this.content.fill(blockContent.empty);
  }

  read(column: number, { hasSubmodes, segment }: MacroblockModes): boolean {
    const bools = this.#bools;
    const { quantizer } = this.#header.segments[segment]!;
    const above = column * flagsPerMacroblock;
    this.coefficients.fill(0);
    if (!hasSubmodes) this.#readSecond(above, bools, quantizer);
    const type = hasSubmodes ? blockType.luma : blockType.lumaWithoutDc;
    const { lumaDc, lumaAc, chromaDc, chromaAc } = quantizer;
    const first = hasSubmodes ? 0 : 1;
    const luma = this.#readBlocks(0, 4, above, 0, bools, type, first, lumaDc, lumaAc);
    const cb = this.#readBlocks(16, 2, above, 4, bools, blockType.chroma, 0, chromaDc, chromaAc);
    const cr = this.#readBlocks(20, 2, above, 6, bools, blockType.chroma, 0, chromaDc, chromaAc);
    return luma || cb || cr;
  }

  /** The DCs of all blocks of luma, from a block of their own. */
  #readSecond(above: number, bools: BoolDecoder, { secondDc, secondAc }: Quantizer): void {
    const second = this.#second.fill(0);
    const context = this.#above[above + secondFlag]! + this.#left[secondFlag]!;
    const end = readBlock(
      bools,
      this.#probabilities,
      blockType.second,
      context,
      0,
      secondDc,
      secondAc,
      second,
      0,
    );
    const flag = end > 0 ? 1 : 0;
    this.#above[above + secondFlag] = flag;
    this.#left[secondFlag] = flag;
    inverseWht(second, this.coefficients);
  }

  /**
   * `side` x `side` blocks from number `block` on, whose flags begin at `flags`.
   *
   * @returns whether one is not empty.
   */
  #readBlocks(
    block: number,
    side: number,
    above: number,
    flags: number,
    bools: BoolDecoder,
    type: number,
    first: number,
    dcStep: number,
    acStep: number,
  ): boolean {
    let any = false;
    let number = block;
    for (let y = 0; y < side; y++) {
      let left = this.#left[flags + y]!;
      for (let x = 0; x < side; x++) {
        const flag = above + flags + x;
        const context = left + this.#above[flag]!;
        const at = number * coefficientsPerBlock;
        const end = readBlock(
          ...([bools, this.#probabilities, type, context, first, dcStep, acStep] as const),
          this.coefficients,
          at,
        );
        left = end > first ? 1 : 0;
        this.#above[flag] = left;
        const dc = this.coefficients[at] === 0 ? blockContent.empty : blockContent.dc;
        const content = end > 1 ? blockContent.ac : dc;
        this.content[number] = content;
        any ||= content !== blockContent.empty;
        number++;
      }
      this.#left[flags + y] = left;
    }
    return any;
  }
}
