import { malformed, unsupported } from '../../image-error.ts';
import type { StillImage } from '../../isobmff/parse-still-image.ts';
import type { AvifPicture, ChromaLayout, Plane } from './picture.ts';
import { UnknownModuleError } from './unknown-module-error.ts';

/** Offsets in avifImage of libavif 1.0.1, wasm32. @see libavif avif.h */
const imageAt = {
  width: 0,
  height: 4,
  depth: 8,
  layout: 12,
  range: 16,
  planes: 24,
  rowBytes: 36,
  alpha: 52,
  alphaRowBytes: 56,
  isPremultiplied: 64,
  primaries: 76,
  matrix: 80,
} as const;
/** Offsets in avifDecoder and avifDecodeSample. */
const decoderAt = { image: 44, hasAlpha: 132 } as const;
const sampleAt = { itemId: 16 } as const;

/** `avifPixelFormat`; 0 is none. */
const layouts: readonly (ChromaLayout | undefined)[] = [undefined, '4:4:4', '4:2:2', '4:2:0', '4:0:0'];

/** A plane as the heap has it. */
interface HeapPlane {
  readonly address: number;
  readonly rowBytes: number;
}

/** A part of a picture that was decoded: addresses, and whether its samples are alpha. */
interface DecodedPart {
  /** avifDecoder, avifDecodeSample, avifImage. */
  readonly decoder: number;
  readonly sample: number;
  readonly image: number;
  readonly isAlpha: boolean;
  /** A word: whether alpha has not the full range. */
  readonly isLimitedAlpha: number;
}

/** Y, Cb, Cr, alpha. */
const alphaIndex = 3;

/** Reads what libavif's codec has decoded out of the heap: one picture, or the tiles of a grid one after another. */
export class PictureReader {
  readonly #memory: WebAssembly.Memory;
  readonly #still: StillImage;
  #view: DataView;
  #decodedParts = 0;
  #picture: AvifPicture | undefined;

  constructor(memory: WebAssembly.Memory, still: StillImage) {
    this.#memory = memory;
    this.#still = still;
    this.#view = new DataView(memory.buffer);
  }

  /**
   * Sees a part that was decoded. libavif copies each tile of a grid to the whole picture after this; the last one is
   * copied here.
   *
   * @returns whether nothing more is needed.
   * @throws {CodedError} `image_malformed`, `image_format_unsupported`.
   */
  read({ decoder, sample, image, isAlpha, isLimitedAlpha }: DecodedPart): boolean {
    this.#view = new DataView(this.#memory.buffer);
    const { isGrid, partIds } = this.#still;
    const whole = this.#word(decoder + decoderAt.image);
    const hasAlpha = this.#word(decoder + decoderAt.hasAlpha) !== 0;
    const isPremultiplied = hasAlpha && this.#word(whole + imageAt.isPremultiplied) !== 0;
    this.#assertSize(image);
    const isOrdered = this.#word(sample + sampleAt.itemId) === partIds[this.#decodedParts];
    // libavif 1.0 takes the tiles in the order of all items.
    if (isGrid && !isAlpha && !isOrdered)
      throw unsupported('avif', 'tiles that are not listed in their order');
    if (isAlpha && this.#word(isLimitedAlpha) !== 0) throw unsupported('avif', 'alpha of limited range');

    this.#decodedParts++;
    const partCount = partIds.length;
    const neededParts = isPremultiplied ? 2 * partCount : partCount;
    if (this.#decodedParts < neededParts) return false;
    const isCopied = isGrid && partCount > 1;
    const source = isCopied || isAlpha ? whole : image;
    const layout = layouts[this.#word(source + imageAt.layout)];
    const depth = this.#word(source + imageAt.depth);
    if (this.#word(image + imageAt.depth) !== depth) throw malformed('avif', 'its parts differ in depth');
    if (!layout || (depth !== 8 && depth !== 10 && depth !== 12))
      throw new UnknownModuleError('libavif', 'its pictures have another structure');
    if (isCopied) this.#copyLastTile(image, whole, isAlpha);
    const toPlane = (from: number, index: number) => this.#toPlane(from, index, layout, depth);
    this.#picture = {
      width: this.#still.width,
      height: this.#still.height,
      depth,
      layout,
      // Of the whole: what the container says of colours comes before what the AV1 stream says.
      isFullRange: this.#word(whole + imageAt.range) !== 0,
      primaries: this.#view.getUint16(whole + imageAt.primaries, true),
      matrix: this.#view.getUint16(whole + imageAt.matrix, true),
      planes: (layout === '4:0:0' ? [0] : [0, 1, 2]).map((index) => toPlane(source, index)),
      hasAlpha,
      premultipliedBy: isPremultiplied ? toPlane(isCopied ? whole : image, alphaIndex) : undefined,
    };
    return true;
  }

  get hasSeenParts(): boolean {
    return this.#decodedParts > 0;
  }

  /** What `read` has found; its planes lie in the heap. */
  toPicture(): AvifPicture {
    if (!this.#picture) throw new UnknownModuleError('libavif', 'its pictures have another structure');
    return this.#picture;
  }

  #word(address: number): number {
    return this.#view.getUint32(address, true);
  }

  #assertSize(image: number): void {
    const { tileWidth, tileHeight } = this.#still;
    const isDeclared =
      this.#word(image + imageAt.width) === tileWidth && this.#word(image + imageAt.height) === tileHeight;
    if (!isDeclared) throw malformed('avif', 'its headers disagree');
  }

  #findPlane(image: number, index: number): HeapPlane {
    return index === alphaIndex
      ? { address: this.#word(image + imageAt.alpha), rowBytes: this.#word(image + imageAt.alphaRowBytes) }
      : {
          address: this.#word(image + imageAt.planes + 4 * index),
          rowBytes: this.#word(image + imageAt.rowBytes + 4 * index),
        };
  }

  #toPlane(image: number, index: number, layout: ChromaLayout, depth: number): Plane {
    const { address, rowBytes } = this.#findPlane(image, index);
    const { width, height } = this.#still;
    const halves = toHalves(layout, index);
    const bytesPerSample = depth > 8 ? 2 : 1;
    const lastRow = address + rowBytes * (((height + halves.down) >> halves.down) - 1);
    const end = lastRow + bytesPerSample * ((width + halves.across) >> halves.across);
    const isAligned = address % bytesPerSample === 0 && rowBytes % bytesPerSample === 0;
    if (address === 0 || !isAligned || end > this.#view.byteLength)
      throw new UnknownModuleError('libavif', 'its pictures have another structure');
    const { buffer } = this.#memory;
    return {
      samples: depth > 8 ? new Uint16Array(buffer) : new Uint8Array(buffer),
      start: address / bytesPerSample,
      stride: rowBytes / bytesPerSample,
    };
  }

  /** As libavif does with the tiles before it: what stands out over the edges of the picture is left out. */
  #copyLastTile(tile: number, whole: number, isAlpha: boolean): void {
    const { width, height, tileWidth, tileHeight, partIds } = this.#still;
    const columns = Math.ceil(width / tileWidth);
    const isDeclared =
      this.#word(whole + imageAt.width) === width &&
      this.#word(whole + imageAt.height) === height &&
      partIds.length === columns * Math.ceil(height / tileHeight) &&
      (isAlpha || this.#word(tile + imageAt.layout) === this.#word(whole + imageAt.layout));
    if (!isDeclared) throw malformed('avif', 'its tiles do not fit together');
    const left = ((partIds.length - 1) % columns) * tileWidth;
    const top = Math.floor((partIds.length - 1) / columns) * tileHeight;
    const layout = layouts[this.#word(whole + imageAt.layout)]!;
    const bytesPerSample = this.#word(whole + imageAt.depth) > 8 ? 2 : 1;
    const heap = new Uint8Array(this.#memory.buffer);
    for (const index of isAlpha ? [alphaIndex] : layout === '4:0:0' ? [0] : [0, 1, 2]) {
      const { across, down } = toHalves(layout, index);
      const from = this.#findPlane(tile, index);
      const to = this.#findPlane(whole, index);
      const rowBytes = bytesPerSample * (((width + across) >> across) - (left >> across));
      const rows = ((height + down) >> down) - (top >> down);
      const target = to.address + (top >> down) * to.rowBytes + (left >> across) * bytesPerSample;
      for (let y = 0; y < rows; y++) {
        const start = from.address + y * from.rowBytes;
        heap.copyWithin(target + y * to.rowBytes, start, start + rowBytes);
      }
    }
  }
}

/** How many times the sides of a plane are halved. */
function toHalves(layout: ChromaLayout, index: number): { readonly across: number; readonly down: number } {
  const isChroma = index === 1 || index === 2;
  return {
    across: isChroma && (layout === '4:2:0' || layout === '4:2:2') ? 1 : 0,
    down: isChroma && layout === '4:2:0' ? 1 : 0,
  };
}
