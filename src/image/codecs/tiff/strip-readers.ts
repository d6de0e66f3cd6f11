import { maxZstdHistoryBytes } from '../../../limits.ts';
import { malformed, truncated } from '../../image-error.ts';
import { BytesInput } from '../../inflate/inflate-input.ts';
import { type InflateEnd, InflateStream } from '../../inflate/inflate-stream.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { type FaxCoding, FaxReader } from './ccitt/fax-reader.ts';
import { type TiffDirectory, tiffCompression } from './directory.ts';
import { TiffLzwReader } from './lzw-reader.ts';
import { reverseBits } from './reverse-bits.ts';
import type { StripReader } from './strip-reader.ts';
import { ZstdReader } from './zstd/zstd-reader.ts';

/** What the readers of one image have in common. */
export interface ReaderOptions {
  readonly directory: TiffDirectory;
  /** With it, WebAssembly inflates, in its memory. */
  readonly arena: PixelArena | undefined;
  /** Called where something is wrong that is shown nevertheless. */
  readonly onDamage: () => void;
}

/**
 * @param strip the coded bytes of a strip or tile.
 * @param contentBytes that it holds when it is not compressed.
 * @param previous reader of the one before, which may be used again.
 * @throws {CodedError} `image_malformed`.
 */
export function openStrip(
  strip: Uint8Array,
  contentBytes: number,
  previous: StripReader | undefined,
  options: ReaderOptions,
): StripReader {
  const { directory, arena } = options;
  switch (directory.compression) {
    case tiffCompression.none:
      return new PlainReader(strip, directory.fillOrder === 2);
    case tiffCompression.ccittHuffman:
    case tiffCompression.ccittHuffmanWords:
    case tiffCompression.ccittGroup3:
    case tiffCompression.ccittGroup4:
      if (!(previous instanceof FaxReader)) return openFax(strip, options);
      previous.restart(strip);
      return previous;
    case tiffCompression.lzw:
      if (!(previous instanceof TiffLzwReader && previous.fits(strip))) return new TiffLzwReader(strip);
      previous.restart(strip);
      return previous;
    case tiffCompression.packBits:
      return new PackBitsReader(strip);
    case tiffCompression.zstd:
      if (!(previous instanceof ZstdReader)) return openZstd(strip, contentBytes, directory);
      previous.restart(strip, contentBytes);
      return previous;
    default:
      if (!(previous instanceof InflateStream)) return openInflated(strip, contentBytes, arena);
      previous.restart(new BytesInput(strip), contentBytes);
      return previous;
  }
}

function openFax(strip: Uint8Array, { directory, onDamage }: ReaderOptions): FaxReader {
  const { compression, group3Options, segmentWidth } = directory;
  return new FaxReader(strip, toFaxCoding(compression, group3Options), segmentWidth, onDamage);
}

function toFaxCoding(compression: number, group3Options: number): FaxCoding {
  if (compression === tiffCompression.ccittHuffman) return 'huffman';
  if (compression === tiffCompression.ccittHuffmanWords) return 'huffmanWords';
  if (compression === tiffCompression.ccittGroup4) return 'group4';
  return (group3Options & 1) === 1 ? 'group3TwoDimensional' : 'group3';
}

/** The planes of an image are read side by side, each with a history. */
function openZstd(strip: Uint8Array, contentBytes: number, directory: TiffDirectory): ZstdReader {
  const planes = directory.planarConfiguration === 2 ? directory.samplesPerPixel : 1;
  return new ZstdReader(strip, contentBytes, Math.floor(maxZstdHistoryBytes / planes));
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
  readonly #lowBitFirst: boolean;
  #position = 0;

  constructor(strip: Uint8Array, lowBitFirst: boolean) {
    this.#strip = strip;
    this.#lowBitFirst = lowBitFirst;
  }

  read(target: Uint8Array): void {
    const end = this.#position + target.length;
    if (end > this.#strip.length) throw truncated('tiff', 'inside its pixel data');
    target.set(this.#strip.subarray(this.#position, end));
    if (this.#lowBitFirst) reverseBits(target, target);
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
      target[filled++] = this.#strip[this.#position]!;
      this.#left--;
      if (!this.#repeats || this.#left === 0) this.#position++;
    }
  }

  #nextRun(): void {
    for (;;) {
      if (this.#position >= this.#strip.length) throw truncated('tiff', 'inside its pixel data');
      const header = this.#strip[this.#position++]!;
      // 128 means nothing.
      if (header === 128) continue;
      this.#repeats = header > 128;
      this.#left = header > 128 ? 257 - header : header + 1;
      return;
    }
  }
}
