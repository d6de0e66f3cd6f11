import type { PixelWindow } from '../image.ts';
import { blockSide, blockSize, type FrameComponent, type JpegFrame } from './frame.ts';
import { fillFlat, idctIslow } from './idct-islow.ts';

/** MCU rows kept: upsampling looks one row beyond each MCU row in both directions. */
const keptMcuRows = 2;

/**
 * The decoded samples of one component: a ring of a few rows as wide as the image.
 */
export class ComponentPlane {
  readonly declared: FrameComponent;
  /** Samples, not counting what pads the last block. @see ITU-T T.81 A.1.1 */
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly ringRows: number;
  readonly samples: Uint8ClampedArray;
  /** Output pixels per sample. */
  readonly expandX: number;
  readonly expandY: number;
  /** Half-open ranges of the blocks that the consumer's window needs. */
  readonly blockLeft: number;
  readonly blockRight: number;
  readonly blockTop: number;
  readonly blockBottom: number;
  /** In zigzag order; that in force when the first scan of the component began. */
  quantization: Int32Array | undefined;
  /** Progressive only: one MCU row of coefficients, 64 a block in zigzag order. */
  readonly coefficients: Int16Array;

  /** @param window in output pixels. */
  constructor(frame: JpegFrame, declared: FrameComponent, window: PixelWindow) {
    const { horizontal, vertical, paddedBlocksPerLine } = declared;
    this.declared = declared;
    this.expandX = frame.maxHorizontal / horizontal;
    this.expandY = frame.maxVertical / vertical;
    this.width = Math.ceil(frame.width / this.expandX);
    this.height = Math.ceil(frame.height / this.expandY);
    this.stride = paddedBlocksPerLine * blockSide;
    this.ringRows = keptMcuRows * vertical * blockSide;
    this.samples = new Uint8ClampedArray(this.stride * this.ringRows);
    this.coefficients = new Int16Array(frame.progressive ? paddedBlocksPerLine * vertical * blockSize : 0);

    // One sample more on each side: a fancily upsampled pixel mixes its neighbours in.
    const pixelsPerBlockX = blockSide * this.expandX;
    const pixelsPerBlockY = blockSide * this.expandY;
    this.blockLeft = Math.floor((window.left - this.expandX) / pixelsPerBlockX);
    this.blockRight = Math.floor((window.right + this.expandX - 1) / pixelsPerBlockX) + 1;
    this.blockTop = Math.floor((window.top - this.expandY) / pixelsPerBlockY);
    this.blockBottom = Math.floor((window.bottom + this.expandY - 1) / pixelsPerBlockY) + 1;
  }

  /** Where row `y` begins in `samples`. */
  rowStart(y: number): number {
    return (y % this.ringRows) * this.stride;
  }

  /**
   * Turns the coefficients of a block into samples, and clears `block` for the next one.
   *
   * @param last zigzag index of the last coefficient that is not zero.
   * @param rowStart of the block's first row.
   */
  writeBlock(block: Int32Array, last: number, blockX: number, rowStart: number): void {
    const at = rowStart + blockX * blockSide;
    if (last === 0) {
      fillFlat(block[0], this.samples, at, this.stride, blockSide);
    } else {
      idctIslow(block, this.samples, at, this.stride);
      block.fill(0);
    }
  }
}
