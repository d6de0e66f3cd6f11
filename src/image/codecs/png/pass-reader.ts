import type { PixelWindow } from '../../image.ts';
import type { InflateStream } from '../../inflate/inflate-stream.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import type { ReducedImage } from './adam7.ts';
import type { PngLayout } from './chunks.ts';
import type { ImageDataInput } from './image-data.ts';
import { bitsPerPixel, type PixelRun } from './samples.ts';
import { openRows, type UnfilteredRows } from './unfiltered-rows.ts';

/** Inflated bytes of a row of a reduced image, and of all of it: a filter's byte stands before each row. */
export function passBytes({ width, height }: ReducedImage, layout: PngLayout) {
  const rowBytes = Math.ceil((width * bitsPerPixel(layout)) / 8);
  return { rowBytes, totalBytes: (rowBytes + 1) * height };
}

/** One reduced image: its rows, and which pixels of them are wanted. */
export class PassReader {
  readonly rows: UnfilteredRows;
  readonly run: PixelRun;
  readonly #image: ReducedImage;
  readonly #input: ImageDataInput;
  readonly #data: InflateStream;

  /** @param data stands at the first row. */
  constructor(
    image: ReducedImage,
    layout: PngLayout,
    window: PixelWindow,
    input: ImageDataInput,
    data: InflateStream,
    arena: PixelArena | undefined,
  ) {
    this.#image = image;
    this.#input = input;
    this.#data = data;
    this.run = toRun(image, window);
    const bits = bitsPerPixel(layout);
    const shape = {
      rowBytes: passBytes(image, layout).rowBytes,
      neededBytes: Math.ceil((this.run.to * bits) / 8),
      pixelBytes: Math.max(1, bits >> 3),
    };
    this.rows = openRows(data, shape, arena);
  }

  holdsRow(y: number): boolean {
    return y >= this.#image.y && (y - this.#image.y) % this.#image.stepY === 0;
  }

  /** Once all rows were read: whether the checksums of the data, and of its chunks, are right. */
  isIntact(): boolean {
    const end = this.#data.finish();
    return this.#input.finish() && end !== 'damaged';
  }
}

/** The pixels of a reduced row that lie in the window. */
function toRun({ x, stepX, width }: ReducedImage, { left, right }: PixelWindow): PixelRun {
  const from = Math.max(0, Math.ceil((left - x) / stepX));
  const to = Math.max(from, Math.min(width, Math.ceil((right - x) / stepX)));
  return { from, to, column: x + from * stepX, step: stepX };
}
