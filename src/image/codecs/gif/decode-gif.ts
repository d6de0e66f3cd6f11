import type { RowSink } from '../../image.ts';
import { malformed } from '../../image-error.ts';
import type { LzwReader } from '../lzw/lzw-reader.ts';
import { findFirstFrame, type GifFrame } from './blocks.ts';
import { openGifLzw } from './lzw-reader.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** First row and row step of each pass of an interlaced frame. @see GIF89a appendix E */
const interlacePasses = [
  { first: 0, step: 8 },
  { first: 4, step: 8 },
  { first: 2, step: 4 },
  { first: 1, step: 2 },
] as const;
const wholeFrame = [{ first: 0, step: 1 }] as const;

/**
 * Decodes the first frame of a GIF row by row, as Pillow shows it: transparency is dropped, and pixels of the screen
 * that the frame does not cover have the transparent colour, or else colour 0. The four passes of an interlaced frame
 * are read side by side. Each has a reader of its own, which skips what comes before.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see GIF89a specification; Pillow src/PIL/GifImagePlugin.py
 */
export function decodeGif(bytes: Uint8Array, sink: RowSink): void {
  const { frame } = findFirstFrame(bytes);
  const palette = toFullPalette(frame.palette);
  const { left, right, top, bottom } = sink.window;
  const passes = openPasses(bytes, frame);
  const indices = new Uint8Array(frame.width);
  const rgb = new Uint8Array(right * 3);
  const outside = (frame.transparentIndex ?? 0) * 3;

  // What lies below the window must be there too, unless the data's end mark says that nothing is missing.
  const end = frame.ended ? bottom : Math.max(bottom, frame.top + frame.height);
  for (let y = 0; y < end; y++) {
    const frameRow = y - frame.top;
    const isCovered = frameRow >= 0 && frameRow < frame.height;
    if (isCovered) passes.find((pass) => pass.holdsRow(frameRow))?.readRow(indices);
    if (y < top || y >= bottom) continue;
    for (let x = left; x < right; x++) {
      const column = x - frame.left;
      const entry = isCovered && column >= 0 && column < frame.width ? indices[column]! * 3 : outside;
      rgb[x * 3] = palette[entry]!;
      rgb[x * 3 + 1] = palette[entry + 1]!;
      rgb[x * 3 + 2] = palette[entry + 2]!;
    }
    sink.writeRow(rgb, y);
  }
}

function openPasses(bytes: Uint8Array, frame: GifFrame): PassReader[] {
  if (frame.dataStart >= bytes.length) throw malformed('gif', 'its frame has no data');
  let rowsBefore = 0;
  return (frame.interlaced ? interlacePasses : wholeFrame).map(({ first, step }) => {
    const reader = new PassReader(bytes, frame, first, step, rowsBefore);
    rowsBefore += Math.max(0, Math.ceil((frame.height - first) / step));
    return reader;
  });
}

/** Reads every `step`-th row from `first` on. */
class PassReader {
  readonly #lzw: LzwReader;
  readonly #first: number;
  readonly #step: number;
  #rowsToSkip: number;

  constructor(bytes: Uint8Array, frame: GifFrame, first: number, step: number, rowsToSkip: number) {
    this.#lzw = openGifLzw(bytes, frame.dataStart);
    this.#first = first;
    this.#step = step;
    this.#rowsToSkip = rowsToSkip;
  }

  holdsRow(y: number): boolean {
    return y >= this.#first && (y - this.#first) % this.#step === 0;
  }

  readRow(indices: Uint8Array): void {
    for (; this.#rowsToSkip > 0; this.#rowsToSkip--) this.#lzw.read(indices);
    this.#lzw.read(indices);
  }
}

/** 256 colours: black where the table ends, a grey ramp where there is none. */
function toFullPalette(palette: Uint8Array | undefined): Uint8Array {
  if (palette === undefined) return Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
  const full = new Uint8Array(256 * 3);
  full.set(palette);
  return full;
}
