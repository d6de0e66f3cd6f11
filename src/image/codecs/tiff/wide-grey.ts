import { type TiffDirectory, tiffSampleFormat } from './directory.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** A sample's value by its index in the row. */
type ReadSample = (index: number) => number;

/**
 * Converts grey of 12, 16 or 32 bits, integers of either kind or floats: clipped to 0 … 255, the fraction dropped, 0 for
 * what is no number. White is not inverted.
 *
 * @see Pillow src/libImaging/Convert.c, `f2l`, `i2l` and `I16_L`
 */
export function clipWideGrey(
  row: Uint8Array,
  directory: TiffDirectory,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  const read = createReader(row, directory);
  for (let x = left; x < right; x++) {
    const value = read(x * directory.samplesPerPixel);
    // NaN becomes 0 where it is stored.
    const grey = Math.max(0, Math.min(255, value));
    rgb[x * 3] = grey;
    rgb[x * 3 + 1] = grey;
    rgb[x * 3 + 2] = grey;
  }
}

function createReader(
  row: Uint8Array,
  { bitsPerSample, sampleFormat, littleEndian }: TiffDirectory,
): ReadSample {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  switch (bitsPerSample[0]) {
    case 12:
      return (index) => read12(row, index);
    case 16:
      if (sampleFormat === tiffSampleFormat.signed) return (index) => view.getInt16(index * 2, littleEndian);
      return (index) => view.getUint16(index * 2, littleEndian);
    default:
      if (sampleFormat === tiffSampleFormat.float) return (index) => view.getFloat32(index * 4, littleEndian);
      // Pillow has no unsigned integers of 32 bits.
      return (index) => view.getInt32(index * 4, littleEndian);
  }
}

/** Two samples in three bytes, whatever the byte order. */
function read12(row: Uint8Array, index: number): number {
  const at = (index >> 1) * 3;
  return index % 2 === 0 ? (row[at]! << 4) | (row[at + 1]! >> 4) : ((row[at + 1]! & 15) << 8) | row[at + 2]!;
}
