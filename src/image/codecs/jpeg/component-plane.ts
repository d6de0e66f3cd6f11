import type { PixelWindow } from '../../image.ts';
import { allocatedBytes, type PixelArena } from '../../pixel-arena.ts';
import { blockSide, blockSize, type FrameComponent, type JpegFrame } from './frame.ts';
import { fillFlat, idctIslow, levelShift } from './idct-islow.ts';
import { idct2, idct4, lastUsefulCoefficient } from './idct-scaled.ts';
import { dequantizeBlock } from './progressive-block.ts';
import { zigzag } from './segments.ts';

/** MCU rows kept: upsampling looks one row beyond each MCU row in both directions. */
const keptMcuRows = 2;

/**
 * The decoded samples of one component: a ring of a few rows as wide as the image.
 */
export class ComponentPlane {
  readonly declared: FrameComponent;
  /** Samples made of each block, per side: 8, or fewer if the image is decoded at a reduced size. */
  readonly side: number;
  /** Zigzag index behind which coefficients are dropped. */
  readonly lastKept: number;
  /** Samples, not counting what pads the last block. @see ITU-T T.81 A.1.1 */
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly ringRows: number;
  /** Only for reading: `writeBlock` writes samples through a view that clamps. */
  readonly samples: Uint8Array;
  readonly #clampedSamples: Uint8ClampedArray;
  readonly #routines: PixelArena['routines'] | undefined;
  /** Output pixels per sample. */
  readonly expandX: number;
  readonly expandY: number;
  /** Half-open ranges of the blocks that the consumer's window needs. */
  readonly blockLeft: number;
  readonly blockRight: number;
  readonly blockTop: number;
  readonly blockBottom: number;
  /** Divisors in zigzag order: the table in force when the component's first scan began. */
  quantization: Int32Array | undefined;
  /** Progressive only: one MCU row of coefficients, 64 a block in zigzag order. */
  readonly coefficients: Int16Array;
  /** Progressive, in an arena: address of the divisors, row-major. */
  divisors = 0;

  /**
   * @param window in output pixels.
   * @param frameSide output pixels made of each block of a component that is not subsampled, per side.
   */
  constructor(
    frame: JpegFrame,
    declared: FrameComponent,
    window: PixelWindow,
    frameSide: number,
    arena: PixelArena | undefined,
  ) {
    const { horizontal, vertical, paddedBlocksPerLine } = declared;
    this.declared = declared;
    this.side = chooseSide(frame, declared, frameSide);
    this.lastKept = lastUsefulCoefficient[this.side]!;
    this.expandX = (frame.maxHorizontal * frameSide) / (horizontal * this.side);
    this.expandY = (frame.maxVertical * frameSide) / (vertical * this.side);
    this.width = Math.ceil((frame.width * horizontal * this.side) / (frame.maxHorizontal * blockSide));
    this.height = Math.ceil((frame.height * vertical * this.side) / (frame.maxVertical * blockSide));
    this.stride = paddedBlocksPerLine * this.side;
    this.ringRows = keptMcuRows * vertical * this.side;
    this.#routines = arena?.routines;
    const sampleBytes = this.stride * this.ringRows;
    this.samples = arena?.allocateView(sampleBytes) ?? new Uint8Array(sampleBytes);
    this.#clampedSamples = new Uint8ClampedArray(this.samples.buffer, this.samples.byteOffset, sampleBytes);
    const coefficients = frame.progressive ? paddedBlocksPerLine * vertical * blockSize : 0;
    this.coefficients = arena
      ? new Int16Array(
          arena.bytes.buffer,
          arena.allocate(coefficients * Int16Array.BYTES_PER_ELEMENT),
          coefficients,
        )
      : new Int16Array(coefficients);

    // One sample more on each side, because fancy upsampling mixes in the neighbours.
    const pixelsPerBlockX = this.side * this.expandX;
    const pixelsPerBlockY = this.side * this.expandY;
    this.blockLeft = Math.floor((window.left - this.expandX) / pixelsPerBlockX);
    this.blockRight = Math.floor((window.right + this.expandX - 1) / pixelsPerBlockX) + 1;
    this.blockTop = Math.floor((window.top - this.expandY) / pixelsPerBlockY);
    this.blockBottom = Math.floor((window.bottom + this.expandY - 1) / pixelsPerBlockY) + 1;
  }

  /** Where row `y` begins in `samples`. */
  rowStart(y: number): number {
    return (y % this.ringRows) * this.stride;
  }

  /** For a component without a scan: fills its samples as if all coefficients were zero. */
  showNothing(): void {
    this.quantization = new Int32Array(blockSize);
    this.samples.fill(levelShift);
  }

  /**
   * Turns the coefficients of a block into samples, and clears `block` for the next one.
   *
   * @param last zigzag index of the last coefficient that is not zero.
   * @param rowStart of the block's first row.
   */
  writeBlock(block: Int16Array, last: number, blockX: number, rowStart: number): void {
    const { side, stride } = this;
    const samples = this.#clampedSamples;
    const at = rowStart + blockX * side;
    if (last === 0) {
      fillFlat(block[0]!, samples, at, stride, side);
      return;
    }
    if (side === 8 && this.#routines) {
      const { byteOffset } = block;
      this.#routines.idct_islow(byteOffset, samples.byteOffset + at, stride);
      return;
    }
    if (side === 8) idctIslow(block, samples, at, stride);
    else if (side === 4) idct4(block, samples, at, stride);
    else if (side === 2) idct2(block, samples, at, stride);
    else fillFlat(block[0]!, samples, at, stride, side);
    block.fill(0);
  }

  /**
   * Progressive only: dequantizes and transforms the blocks of one MCU row that the window needs.
   *
   * @param block of `createBlock`.
   */
  reconstructRow(mcuRow: number, block: Int16Array): void {
    const { vertical, paddedBlocksPerLine } = this.declared;
    const { side, stride, coefficients, samples } = this;
    const left = Math.max(this.blockLeft, 0);
    const right = Math.min(this.blockRight, paddedBlocksPerLine);
    for (let v = 0; v < vertical; v++) {
      const blockY = mcuRow * vertical + v;
      if (blockY < this.blockTop || blockY >= this.blockBottom) continue;
      const rowStart = this.rowStart(blockY * side);
      const first = (v * paddedBlocksPerLine + left) * blockSize;
      if (this.#routines) {
        const out = samples.byteOffset + rowStart + left * side;
        const from = coefficients.byteOffset + first * Int16Array.BYTES_PER_ELEMENT;
        this.#routines.reconstruct_row(
          from,
          this.divisors,
          block.byteOffset,
          right - left,
          out,
          side,
          stride,
        );
        continue;
      }
      for (let blockX = left, at = first; blockX < right; blockX++, at += blockSize) {
        const last = dequantizeBlock(coefficients, at, this.quantization!, zigzag, block);
        this.writeBlock(block, last, blockX, rowStart);
      }
    }
  }
}

/** Coefficients of one block to work in. In an arena one more follows them, which nobody reads. */
export function createBlock(arena: PixelArena | undefined): Int16Array {
  if (!arena) return new Int16Array(blockSize);
  return new Int16Array(arena.bytes.buffer, arena.allocate(blockBytes), blockSize);
}

/** What `createBlock` allocates. */
export const blockBytes = allocatedBytes((blockSize + 1) * Int16Array.BYTES_PER_ELEMENT);

/** Bytes that the planes of a frame will allocate: in proportion to its width, not to its height. */
export function planeBytes({ progressive, components }: JpegFrame): number {
  const bytesPerBlock =
    blockSize * keptMcuRows + (progressive ? blockSize * Int16Array.BYTES_PER_ELEMENT : 0);
  return components.reduce(
    (sum, { paddedBlocksPerLine, vertical }) => sum + paddedBlocksPerLine * vertical * bytesPerBlock,
    0,
  );
}

/**
 * A reduced image needs fewer samples of each block. From a subsampled component it can take more samples of each
 * block instead, and then needs less upsampling.
 *
 * @see libjpeg jdmaster.c, `jpeg_calc_output_dimensions`
 */
function chooseSide(frame: JpegFrame, { horizontal, vertical }: FrameComponent, frameSide: number): number {
  let side = frameSide;
  while (
    side < blockSide &&
    horizontal * side * 2 <= frame.maxHorizontal * frameSide &&
    vertical * side * 2 <= frame.maxVertical * frameSide
  ) {
    side *= 2;
  }
  return side;
}
