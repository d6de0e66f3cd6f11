import type { TiffDirectory } from './directory.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Undoes what a predictor did to one row, in place.
 *
 * @param samples side by side in the row.
 * @see TIFF 6.0 section 14 (differencing predictor); Adobe TIFF technical note 3 (predictor 3)
 */
export function undoPredictor(row: Uint8Array, samples: number, directory: TiffDirectory): void {
  const { predictor, bitsPerSample, littleEndian } = directory;
  if (predictor === 3) undoFloatPredictor(row, samples, littleEndian);
  else if (predictor === 2) undoDifferencing(row, samples, bitsPerSample[0]!, littleEndian);
}

function undoDifferencing(row: Uint8Array, samples: number, bits: number, littleEndian: boolean): void {
  if (bits === 8) {
    for (let i = samples; i < row.length; i++) row[i]! += row[i - samples]!;
    return;
  }
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const sampleBytes = bits / 8;
  const pixelBytes = samples * sampleBytes;
  for (let i = pixelBytes; i + sampleBytes <= row.length; i += sampleBytes) {
    if (bits === 16) {
      const previous = view.getUint16(i - pixelBytes, littleEndian);
      view.setUint16(i, view.getUint16(i, littleEndian) + previous, littleEndian);
    } else {
      const previous = view.getUint32(i - pixelBytes, littleEndian);
      view.setUint32(i, view.getUint32(i, littleEndian) + previous, littleEndian);
    }
  }
}

/** All high bytes of the floats come first, then all that are next to them, and so on; bytes are differences. */
function undoFloatPredictor(row: Uint8Array, samples: number, littleEndian: boolean): void {
  for (let i = samples; i < row.length; i++) row[i]! += row[i - samples]!;
  const planes = row.slice();
  const count = row.length >> 2;
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < 4; byte++) {
      row[i * 4 + (littleEndian ? 3 - byte : byte)] = planes[byte * count + i]!;
    }
  }
}
