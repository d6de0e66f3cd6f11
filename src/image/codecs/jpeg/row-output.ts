import type { ColourRows, PixelWindow, RowSink } from '../../image.ts';
import { allocatedBytes, type PixelArena } from '../../pixel-arena.ts';
import { type JpegColour, toPlanes, toRgb } from './colour.ts';
import type { ComponentPlane } from './component-plane.ts';
import type { JpegFrame } from './frame.ts';
import {
  type ComponentLine,
  chooseReplication,
  chooseUpsampling,
  lineMargin,
  needsNeighbourRows,
  type Upsampling,
  upsampleRow,
} from './upsample.ts';

/**
 * Turns decoded MCU rows into RGB rows, as far as their neighbours allow.
 *
 * @see libjpeg-turbo jdmainct.c ("context rows") for what a row needs of its neighbours
 */
export class RowOutput {
  readonly #frame: JpegFrame;
  readonly #planes: readonly ComponentPlane[];
  readonly #colour: JpegColour;
  readonly #frameSide: number;
  readonly #sink: RowSink;
  readonly #upsampling: readonly Upsampling[];
  readonly #lines: readonly ComponentLine[];
  /** A row for the sink. Its colours lie apart if the sink accepts that and the routine gives it. */
  readonly #rgb: Uint8Array;
  readonly #planar: ColourRows | undefined;
  readonly #routines: PixelArena['routines'] | undefined;
  /** Rows at the lower end of an MCU row that wait for the next one. */
  readonly #heldBack: number;
  #nextRow: number;

  /** @param frameSide output rows made of each row of blocks that is not subsampled. */
  constructor(
    frame: JpegFrame,
    planes: readonly ComponentPlane[],
    colour: JpegColour,
    sink: RowSink,
    frameSide: number,
    arena: PixelArena | undefined,
    upsampling: 'default' | 'replicate' = 'default',
  ) {
    const createBuffer = (bytes: number) => arena?.allocateView(bytes) ?? new Uint8Array(bytes);
    this.#routines = arena?.routines;
    this.#frameSide = frameSide;
    this.#frame = frame;
    this.#planes = planes;
    this.#colour = colour;
    this.#sink = sink;
    this.#upsampling = planes.map(upsampling === 'default' ? chooseUpsampling : chooseReplication);
    this.#lines = planes.map((): ComponentLine => {
      const buffer = createBuffer(sink.window.right + lineMargin);
      return { samples: buffer, start: 0, buffer };
    });
    const rowBytes = sink.window.right + lineMargin;
    this.#planar =
      arena && colour === 'ycc' && sink.writePlanes
        ? { red: createBuffer(rowBytes), green: createBuffer(rowBytes), blue: createBuffer(rowBytes) }
        : undefined;
    this.#rgb = createBuffer(this.#planar ? 0 : rowBytes * 3);
    this.#heldBack = this.#upsampling.some(needsNeighbourRows) ? 1 : 0;
    this.#nextRow = sink.window.top;
  }

  /** True when the sink has every row that it asked for. */
  get complete(): boolean {
    return this.#nextRow >= this.#sink.window.bottom;
  }

  /** Writes the rows that MCU row `mcuRow`, which has just been decoded, makes possible. */
  writeRows(mcuRow: number): void {
    const { mcuRows, maxVertical } = this.#frame;
    const { left, right, bottom } = this.#sink.window;
    const decodedRows =
      mcuRow === mcuRows - 1 ? bottom : (mcuRow + 1) * maxVertical * this.#frameSide - this.#heldBack;
    const end = Math.min(bottom, decodedRows);
    for (; this.#nextRow < end; this.#nextRow++) {
      for (let i = 0; i < this.#planes.length; i++) {
        upsampleRow(
          this.#planes[i]!,
          this.#upsampling[i]!,
          this.#nextRow,
          left,
          right,
          this.#lines[i]!,
          this.#routines,
        );
      }
      if (this.#planar && this.#routines) {
        toPlanes(this.#lines, left, right, this.#planar, this.#routines);
        this.#sink.writePlanes?.(this.#planar, this.#nextRow);
        continue;
      }
      toRgb(this.#colour, this.#lines, left, right, this.#rgb, this.#routines);
      this.#sink.writeRow(this.#rgb, this.#nextRow);
    }
  }
}

/** What `RowOutput` allocates for `components` lines of the window and a row of RGB. */
export function rowOutputBytes({ right }: PixelWindow, components: number): number {
  return (components + 3) * allocatedBytes(right + lineMargin);
}
