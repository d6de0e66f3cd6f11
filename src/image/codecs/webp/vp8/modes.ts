import type { BoolDecoder } from './bool-decoder.ts';
import type { FrameHeader } from './frame-header.ts';
import { probabilitiesPerSubmode, submodeProbabilities } from './submode-probabilities.ts';

/** How a block of 4 x 4 is predicted. The first four are also how 16 x 16 luma and 8 x 8 chroma samples are. */
export const submode = {
  dc: 0,
  trueMotion: 1,
  vertical: 2,
  horizontal: 3,
  downRight: 4,
  verticalRight: 5,
  downLeft: 6,
  verticalLeft: 7,
  horizontalDown: 8,
  horizontalUp: 9,
} as const;
const submodeCount = 10;

/** What the first partition says of a macroblock. */
export interface MacroblockModes {
  /** 0 to 3 */
  segment: number;
  /** Whether no coefficients follow in the other partition. */
  skipped: boolean;
  /** Whether each of the 16 blocks of luma has a mode of its own. */
  hasSubmodes: boolean;
  /** By block, row by row; only the first counts where there are no submodes. */
  readonly luma: Uint8Array;
  chroma: number;
}

/**
 * Reads the modes of macroblocks in raster order.
 *
 * @see RFC 6386 section 8, 10, 11, 19.3
 */
export class ModesReader {
  readonly current: MacroblockModes = {
    ...{ segment: 0, skipped: false, hasSubmodes: false, chroma: submode.dc },
    luma: new Uint8Array(16),
  };
  readonly #bools: BoolDecoder;
  readonly #header: FrameHeader;
  /** Modes of the blocks above: four a macroblock; and of those on the left. */
  readonly #above: Uint8Array;
  readonly #left = new Uint8Array(4);

  /** @param columns macroblocks of a row. */
  constructor(header: FrameHeader, columns: number) {
    this.#header = header;
    this.#bools = header.modes;
    this.#above = new Uint8Array(4 * columns);
  }

  startRow(): void {
    this.#left.fill(submode.dc);
  }

  /** The next macroblock's into `current`. */
  read(column: number): void {
    const { current } = this;
    const bools = this.#bools;
    const { segmentProbabilities, skipProbability } = this.#header;
    current.segment = segmentProbabilities === undefined ? 0 : readSegment(bools, segmentProbabilities);
    current.skipped = skipProbability !== undefined && bools.readBit(skipProbability) === 1;
    current.hasSubmodes = bools.readBit(145) === 0;
    if (current.hasSubmodes) {
      this.#readSubmodes(4 * column);
    } else {
      const mode = readLumaMode(bools);
      current.luma[0] = mode;
      this.#above.fill(mode, 4 * column, 4 * column + 4);
      this.#left.fill(mode);
    }
    current.chroma = readChromaMode(bools);
  }

  /** @param above index of the first of the four blocks above. All indexes are in range: four a macroblock. */
  #readSubmodes(above: number): void {
    for (let y = 0; y < 4; y++) {
      let mode = this.#left[y]!;
      for (let x = 0; x < 4; x++) {
        const context = (this.#above[above + x]! * submodeCount + mode) * probabilitiesPerSubmode;
        mode = readSubmode(this.#bools, context);
        this.#above[above + x] = mode;
        this.current.luma[4 * y + x] = mode;
      }
      this.#left[y] = mode;
    }
  }
}

function readSegment(bools: BoolDecoder, probabilities: readonly [number, number, number]): number {
  return bools.readBit(probabilities[0]) === 0
    ? bools.readBit(probabilities[1])
    : bools.readBit(probabilities[2]) + 2;
}

function readLumaMode(bools: BoolDecoder): number {
  if (bools.readBit(156) === 1) return bools.readBit(128) === 1 ? submode.trueMotion : submode.horizontal;
  return bools.readBit(163) === 1 ? submode.vertical : submode.dc;
}

function readChromaMode(bools: BoolDecoder): number {
  if (bools.readBit(142) === 0) return submode.dc;
  if (bools.readBit(114) === 0) return submode.vertical;
  return bools.readBit(183) === 1 ? submode.trueMotion : submode.horizontal;
}

/** @param at index of the nine probabilities; all are in range. */
function readSubmode(bools: BoolDecoder, at: number): number {
  const probabilities = submodeProbabilities;
  if (bools.readBit(probabilities[at]!) === 0) return submode.dc;
  if (bools.readBit(probabilities[at + 1]!) === 0) return submode.trueMotion;
  if (bools.readBit(probabilities[at + 2]!) === 0) return submode.vertical;
  if (bools.readBit(probabilities[at + 3]!) === 0) {
    if (bools.readBit(probabilities[at + 4]!) === 0) return submode.horizontal;
    return bools.readBit(probabilities[at + 5]!) === 0 ? submode.downRight : submode.verticalRight;
  }
  if (bools.readBit(probabilities[at + 6]!) === 0) return submode.downLeft;
  if (bools.readBit(probabilities[at + 7]!) === 0) return submode.verticalLeft;
  return bools.readBit(probabilities[at + 8]!) === 0 ? submode.horizontalDown : submode.horizontalUp;
}
