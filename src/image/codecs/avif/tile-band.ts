import type { PixelWindow } from '../../image.ts';
import type { Plane } from './picture.ts';

/** Rows of luma that are kept of the tiles above; of chroma, half as many. */
const keptRows = 2;

/** Y, Cb and Cr, which are halved both ways. */
const shifts = [0, 1, 1] as const;

/** What a `TileBand` takes. */
export function countBandBytes(tileWidth: number, tileHeight: number, tiles: PixelWindow): number {
  return 1.5 * (tiles.right - tiles.left) * tileWidth * (tileHeight + keptRows);
}

/** A row of a grid's tiles, as planes of 4:2:0 and 8 bits, and the last rows of the tiles above it. */
export class TileBand {
  /** By the coordinates of the whole picture; samples are there for the tiles of this row, and `keptRows` above. */
  planes: readonly Plane[];
  readonly #tileWidth: number;
  readonly #tileHeight: number;
  readonly #firstColumn: number;
  #row: number | undefined;

  /** @param tiles the columns that are put into it: x in [left, right) of the grid. Sides of tiles are even. */
  constructor(tileWidth: number, tileHeight: number, tiles: PixelWindow) {
    this.#tileWidth = tileWidth;
    this.#tileHeight = tileHeight;
    this.#firstColumn = tiles.left;
    const width = (tiles.right - tiles.left) * tileWidth;
    this.planes = shifts.map((shift) => {
      const stride = width >> shift;
      return { samples: new Uint8Array(stride * ((tileHeight + keptRows) >> shift)), start: 0, stride };
    });
  }

  /** Begins a row of tiles: the one below the last one, or the first. */
  startRow(row: number): void {
    const isNext = this.#row !== undefined;
    this.#row = row;
    this.planes = this.planes.map(({ samples, stride }, i) => {
      const shift = shifts[i]!;
      const kept = (keptRows >> shift) * stride;
      if (isNext) samples.copyWithin(0, samples.length - kept);
      const top = (row * this.#tileHeight - keptRows) >> shift;
      const left = (this.#firstColumn * this.#tileWidth) >> shift;
      return { samples, start: -(top * stride + left), stride };
    });
  }

  /** Copies a tile of the row that was begun. */
  put(column: number, tile: readonly Plane[]): void {
    for (const [i, { samples, start, stride }] of this.planes.entries()) {
      const shift = shifts[i]!;
      const width = this.#tileWidth >> shift;
      const top = (this.#row! * this.#tileHeight) >> shift;
      const source = tile[i]!;
      for (let y = 0; y < this.#tileHeight >> shift; y++) {
        const from = source.start + y * source.stride;
        const to = start + (top + y) * stride + column * width;
        samples.set(source.samples.subarray(from, from + width), to);
      }
    }
  }
}
