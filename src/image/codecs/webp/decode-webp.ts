import type { ImageHeader, PixelWindow, RowSink } from '../../image.ts';
import { malformed } from '../../image-error.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { decodeLossless, type WebpModuleLoader } from './decode-lossless.ts';
import { type StillImage, toStillImage } from './still-image.ts';
import { decodeVp8 } from './vp8/decode-vp8.ts';
import { readFrameHeader } from './vp8/frame-header.ts';

/**
 * Decodes a WebP: lossy images by rows of macroblocks, lossless ones with libwebp. Of an animation it is the first
 * frame, and black where that does not cover the canvas. Alpha is not read: its chunk may be damaged.
 *
 * @param loadModule of libwebp; undefined where lossless images are not decoded.
 * @param arena makes lossy ones faster; the same bytes.
 * @throws {CodedError} `image_too_many_pixels`, `image_malformed`, `image_truncated`,
 *   `image_format_unsupported`.
 * @see RFC 9649 (WebP), RFC 6386 (VP8)
 */
export async function decodeWebp(
  bytes: Uint8Array,
  { width, height }: ImageHeader,
  sink: RowSink,
  loadModule: WebpModuleLoader | undefined,
  arena?: PixelArena,
): Promise<void> {
  const still = toStillImage(bytes);
  if (still.left + still.width > width || still.top + still.height > height) {
    throw malformed('webp', 'its frame is larger than its canvas');
  }
  const canvas = new Canvas(still, sink);
  if (still.chunk.type === 'VP8 ') decodeLossy(bytes, still, canvas, arena);
  else {
    const rgba = await decodeLossless(bytes, still, loadModule);
    writeRgba(rgba, still.width, canvas);
  }
  canvas.finish();
}

function decodeLossy(
  bytes: Uint8Array,
  { chunk, width, height }: StillImage,
  sink: RowSink,
  arena?: PixelArena,
): void {
  const length = chunk.end - chunk.start;
  // The byte that pads a chunk of odd length may be read, as in libwebp's demultiplexer.
  const end = Math.min(chunk.end + (length & 1), bytes.length);
  const header = readFrameHeader(bytes, chunk.start, end, length);
  if (header.width !== width || header.height !== height) throw malformed('webp', 'its headers disagree');
  decodeVp8(bytes, header, sink, arena);
}

/** Takes the rows of a frame and hands on those of the canvas that it lies on. */
class Canvas implements RowSink {
  readonly window: PixelWindow;
  readonly #sink: RowSink;
  readonly #left: number;
  readonly #top: number;
  /** A row of the canvas, black but for the frame; undefined where the frame fills the window. */
  readonly #row: Uint8Array | undefined;
  #next: number;

  constructor({ left, top, width, height }: StillImage, sink: RowSink) {
    const { window } = sink;
    const clamp = (value: number, size: number) => Math.min(Math.max(value, 0), size);
    this.window = {
      left: clamp(window.left - left, width),
      right: clamp(window.right - left, width),
      top: clamp(window.top - top, height),
      bottom: clamp(window.bottom - top, height),
    };
    this.#sink = sink;
    this.#left = left;
    this.#top = top;
    this.#next = window.top;
    const fills = left === 0 && window.right <= width;
    this.#row = fills ? undefined : new Uint8Array(3 * window.right);
  }

  writeRow(rgb: Uint8Array, y: number): void {
    this.#fillTo(y + this.#top);
    const { left, right } = this.window;
    this.#row?.set(rgb.subarray(3 * left, 3 * right), 3 * (this.#left + left));
    this.#sink.writeRow(this.#row ?? rgb, this.#next++);
  }

  /** Rows below the frame. */
  finish(): void {
    this.#fillTo(this.#sink.window.bottom);
  }

  #fillTo(end: number): void {
    if (this.#next >= end) return;
    const black = new Uint8Array(3 * this.#sink.window.right);
    while (this.#next < end) this.#sink.writeRow(black, this.#next++);
  }
}

/** @param rgba HWC, `width` pixels a row. Indexes are in range: the window is within the image. */
function writeRgba(rgba: Uint8ClampedArray, width: number, sink: RowSink): void {
  const { left, right, top, bottom } = sink.window;
  const row = new Uint8Array(3 * right);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const from = (y * width + x) * 4;
      row[3 * x] = rgba[from]!;
      row[3 * x + 1] = rgba[from + 1]!;
      row[3 * x + 2] = rgba[from + 2]!;
    }
    sink.writeRow(row, y);
  }
}
