import { maxDecoderBytes } from '../../../limits.ts';
import { tooComplex } from '../../image-error.ts';
import { blurWeights, type DcWeights, surfaceWeights, weightScale } from './block-estimates.ts';
import { type ComponentPlane, planeBytes } from './component-plane.ts';
import { blockSize, type JpegFrame } from './frame.ts';
import type { JpegScan } from './scan.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Coefficients that are estimated: those at zigzag indices 0 to 9. */
const estimated = 10;
const unknown = -1;

/**
 * How exactly the first coefficients of a component are known: the lowest bit that scans have given (Al), or `unknown`.
 * `before` is what was known before the component's last scan. It holds for rows that this scan does not reach.
 */
interface KnownBits {
  readonly bits: Int8Array;
  readonly before: Int8Array;
}

/**
 * Estimates coefficients that no scan of a progressive image gives, from the DC coefficients around them, as
 * libjpeg-turbo does. An image with few scans then shows no blocks. The smoother holds the DC coefficients of all blocks:
 * two bytes for 64 pixels.
 *
 * @see libjpeg-turbo jdcoefct.c, `decompress_smooth_data`
 */
export class BlockSmoother {
  readonly #frame: JpegFrame;
  readonly #lastScan: JpegScan;
  readonly #components: readonly SmoothedComponent[];

  /**
   * @param scans all of the file, before any of them is decoded.
   * @param block 64 zeros to work in; zeros again afterwards.
   * @returns undefined if nothing is to be smoothed.
   * @throws {CodedError} `image_truncated`, `image_too_complex`; and what `onDamage` of a scan throws.
   */
  static create(
    frame: JpegFrame,
    planes: readonly ComponentPlane[],
    scans: readonly JpegScan[],
    block: Int16Array,
  ): BlockSmoother | undefined {
    const known = planes.map((plane) => findKnownBits(plane, scans));
    const isPossible = planes.every(
      ({ quantization }, i) =>
        quantization!.subarray(0, estimated).every((divisor) => divisor !== 0) && known[i]!.bits[0]! >= 0,
    );
    const isUseful = known.some(({ bits }) => bits.subarray(1).some((bit) => bit !== 0));
    if (!isPossible || !isUseful) return undefined;
    const blocks = planes.reduce((sum, plane) => sum + blocksOf(frame, plane), 0);
    if (planeBytes(frame) + blocks * Int16Array.BYTES_PER_ELEMENT > maxDecoderBytes) {
      throw tooComplex('jpeg', 'what its missing scans leave open needs too much memory');
    }
    const components = planes.map((plane, i) => new SmoothedComponent(frame, plane, known[i]!));
    const dcScans = scans.filter(({ spectralStart }) => spectralStart === 0).map((scan) => scan.fromStart());
    for (let mcuRow = 0; mcuRow < frame.mcuRows; mcuRow++) {
      for (const plane of planes) plane.coefficients.fill(0);
      for (const scan of dcScans) scan.decodeRow(mcuRow, block);
      for (const component of components) component.keepDc(mcuRow);
    }
    return new BlockSmoother(frame, scans.at(-1)!, components);
  }

  private constructor(frame: JpegFrame, lastScan: JpegScan, components: readonly SmoothedComponent[]) {
    this.#frame = frame;
    this.#lastScan = lastScan;
    this.#components = components;
  }

  /** Completes the coefficients of an MCU row, which all scans have decoded. */
  smoothRow(mcuRow: number): void {
    const isReached = mcuRow <= this.#lastScan.lastRowWithData;
    const isLast = mcuRow === this.#frame.mcuRows - 1;
    for (const component of this.#components) component.smoothRow(mcuRow, isReached, isLast);
  }
}

class SmoothedComponent {
  readonly #plane: ComponentPlane;
  readonly #known: KnownBits;
  readonly #mcuRows: number;
  readonly #dc: Int16Array;
  /** DC coefficients of 5 x 5 blocks. */
  readonly #around = new Int16Array(25);

  constructor(frame: JpegFrame, plane: ComponentPlane, known: KnownBits) {
    this.#plane = plane;
    this.#known = known;
    this.#mcuRows = frame.mcuRows;
    this.#dc = new Int16Array(blocksOf(frame, plane));
  }

  keepDc(mcuRow: number): void {
    const { coefficients, declared } = this.#plane;
    const blocks = declared.paddedBlocksPerLine * declared.vertical;
    for (let i = 0; i < blocks; i++) this.#dc[mcuRow * blocks + i] = coefficients[i * blockSize]!;
  }

  smoothRow(mcuRow: number, isReached: boolean, isLast: boolean): void {
    const { declared, coefficients, blockLeft, blockRight, blockTop, blockBottom } = this.#plane;
    const { vertical, blocksPerLine, blocksPerColumn, paddedBlocksPerLine } = declared;
    const bits = isReached ? this.#known.bits : this.#known.before;
    const isDcAlone = bits.subarray(1).every((bit) => bit === unknown);
    const rows = isLast ? ((blocksPerColumn - 1) % vertical) + 1 : vertical;
    for (let v = 0; v < rows; v++) {
      const blockY = mcuRow * vertical + v;
      if (blockY < blockTop || blockY >= blockBottom) continue;
      const lines = this.#linesAround(blockY, mcuRow * rows + v, rows * this.#mcuRows);
      const right = Math.min(blockRight, blocksPerLine);
      for (let blockX = Math.max(blockLeft, 0); blockX < right; blockX++) {
        this.#gather(lines, blockX);
        this.#estimate(coefficients, (v * paddedBlocksPerLine + blockX) * blockSize, bits, isDcAlone);
      }
    }
  }

  /**
   * The rows of blocks from two above to two below. It counts as libjpeg does: in the last MCU row, which may have fewer
   * rows of blocks, it counts as if every MCU row had so few.
   */
  #linesAround(blockY: number, counted: number, total: number): readonly number[] {
    const above = counted > 0 ? blockY - 1 : blockY;
    const below = counted < total - 1 ? blockY + 1 : blockY;
    return [counted > 1 ? blockY - 2 : above, above, blockY, below, counted < total - 2 ? blockY + 2 : below];
  }

  #gather(lines: readonly number[], blockX: number): void {
    const { blocksPerLine, paddedBlocksPerLine } = this.#plane.declared;
    let to = 0;
    for (const line of lines) {
      for (let dx = -2; dx <= 2; dx++) {
        const x = Math.max(0, Math.min(blockX + dx, blocksPerLine - 1));
        this.#around[to++] = this.#dc[line * paddedBlocksPerLine + x]!;
      }
    }
  }

  #estimate(coefficients: Int16Array, at: number, bits: Int8Array, isDcAlone: boolean): void {
    const terms = isDcAlone ? blurTerms : surfaceTerms;
    const end = Math.min(terms.length, this.#plane.lastKept + 1);
    for (let k = 1; k < end; k++) {
      if (bits[k] === 0 || coefficients[at + k] !== 0) continue;
      const limit = bits[k]! > 0 ? (1 << bits[k]!) - 1 : Number.POSITIVE_INFINITY;
      coefficients[at + k] = this.#weigh(terms[k]!, k, limit);
    }
    if (isDcAlone) coefficients[at] = this.#weigh(terms[0]!, 0, Number.POSITIVE_INFINITY);
  }

  /** @param limit largest possible magnitude: the scans would have given a larger coefficient. */
  #weigh({ places, weights }: DcTerms, k: number, limit: number): number {
    const quantization = this.#plane.quantization!;
    let sum = 0;
    for (let i = 0; i < places.length; i++) sum += weights[i]! * this.#around[places[i]!]!;
    if (sum === 0) return 0;
    const divisor = quantization[k]! * weightScale;
    const magnitude = Math.min(Math.floor((divisor / 2 + Math.abs(sum) * quantization[0]!) / divisor), limit);
    return sum < 0 ? -magnitude : magnitude;
  }
}

/** Weights that are not zero, and the places in 5 x 5 blocks that they are for. */
interface DcTerms {
  readonly places: Uint8Array;
  readonly weights: Int16Array;
}

function toTerms(all: DcWeights): DcTerms {
  const places = all.flatMap((weight, place) => (weight === 0 ? [] : [place]));
  return { places: Uint8Array.from(places), weights: Int16Array.from(places, (place) => all[place]!) };
}

/** By zigzag index. */
const blurTerms = blurWeights.map(toTerms);
const surfaceTerms = [toTerms([]), ...surfaceWeights.map(toTerms)];

function blocksOf({ mcuRows }: JpegFrame, { declared }: ComponentPlane): number {
  return declared.paddedBlocksPerLine * declared.vertical * mcuRows;
}

function findKnownBits(plane: ComponentPlane, scans: readonly JpegScan[]): KnownBits {
  const bits = new Int8Array(estimated).fill(unknown);
  let before = bits;
  for (const [index, { components, spectralStart, spectralEnd, shift }] of scans.entries()) {
    if (components.every((component) => component.plane !== plane)) continue;
    before = index > 0 ? bits.slice() : new Int8Array(estimated);
    bits.fill(shift, spectralStart, Math.min(spectralEnd + 1, estimated));
  }
  return { bits, before: scans.length > 1 ? before : new Int8Array(estimated).fill(unknown) };
}
