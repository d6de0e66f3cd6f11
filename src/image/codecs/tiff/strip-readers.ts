import { malformed, truncated, unsupported } from '../../image-error.ts';
import { BytesInput } from '../../inflate/inflate-input.ts';
import { type InflateEnd, InflateStream } from '../../inflate/inflate-stream.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { tiffCompression } from './directory.ts';
import { TiffLzwReader } from './lzw-reader.ts';

/** Reads the uncompressed bytes of one strip forwards. */
export interface StripReader {
  /** Fills `target`. @throws {CodedError} `image_truncated`, `image_malformed`. */
  read(target: Uint8Array): void | Promise<void>;
}

/**
 * @param contentBytes that the strip holds when it is not compressed.
 * @param previous reader of the strip before, which may be used again.
 * @param arena with it, WebAssembly inflates, in its memory.
 * @throws {CodedError} `image_format_unsupported` for other compressions.
 */
export function openStrip(
  compression: number,
  strip: Uint8Array,
  contentBytes: number,
  previous: StripReader | undefined,
  arena: PixelArena | undefined,
): StripReader {
  switch (compression) {
    case tiffCompression.none:
      return new PlainReader(strip);
    case tiffCompression.lzw:
      if (!(previous instanceof TiffLzwReader)) return new TiffLzwReader(strip);
      previous.restart(strip);
      return previous;
    case tiffCompression.packBits:
      return new PackBitsReader(strip);
    case tiffCompression.deflate:
    case tiffCompression.oldDeflate:
      if (!(previous instanceof InflateStream)) return openInflated(strip, contentBytes, arena);
      previous.restart(new BytesInput(strip), contentBytes);
      return previous;
    default:
      throw unsupported('tiff', `compression ${compression}`);
  }
}

function openInflated(strip: Uint8Array, contentBytes: number, arena: PixelArena | undefined): InflateStream {
  const toError = (end: InflateEnd) =>
    end === 'invalid'
      ? malformed('tiff', 'its data cannot be inflated')
      : truncated('tiff', 'inside its pixel data');
  return new InflateStream(new BytesInput(strip), contentBytes, 0, toError, arena);
}

class PlainReader implements StripReader {
  readonly #strip: Uint8Array;
  #position = 0;

  constructor(strip: Uint8Array) {
    this.#strip = strip;
  }

  read(target: Uint8Array): void {
    const end = this.#position + target.length;
    if (end > this.#strip.length) throw truncated('tiff', 'inside its pixel data');
    target.set(this.#strip.subarray(this.#position, end));
    this.#position = end;
  }
}

/** @see TIFF 6.0 section 9 (PackBits compression) */
class PackBitsReader implements StripReader {
  readonly #strip: Uint8Array;
  #position = 0;
  /** Bytes left of the current run; a repeated one keeps `#position` on its byte. */
  #left = 0;
  #repeats = false;

  constructor(strip: Uint8Array) {
    this.#strip = strip;
  }

  read(target: Uint8Array): void {
    let filled = 0;
    while (filled < target.length) {
      if (this.#left === 0) this.#nextRun();
      if (this.#position >= this.#strip.length) throw truncated('tiff', 'inside its pixel data');
      target[filled++] = this.#strip[this.#position];
      this.#left--;
      if (!this.#repeats || this.#left === 0) this.#position++;
    }
  }

  #nextRun(): void {
    for (;;) {
      if (this.#position >= this.#strip.length) throw truncated('tiff', 'inside its pixel data');
      const header = this.#strip[this.#position++];
      // 128 means nothing.
      if (header === 128) continue;
      this.#repeats = header > 128;
      this.#left = header > 128 ? 257 - header : header + 1;
      return;
    }
  }
}
