import { expect, test } from 'vitest';
import type { TiffDirectory } from '../../../../src/image/codecs/tiff/directory.ts';
import { undoPredictor } from '../../../../src/image/codecs/tiff/predictor.ts';

function undo(
  row: number[],
  samples: number,
  predictor: number,
  bits: number,
  littleEndian = true,
): number[] {
  const bytes = Uint8Array.of(0xee, ...row, 0xee);
  const directory = { predictor, bitsPerSample: [bits], littleEndian } as unknown as TiffDirectory;
  undoPredictor(bytes.subarray(1, -1), samples, directory);
  expect([bytes[0], bytes.at(-1)]).toEqual([0xee, 0xee]);
  return [...bytes.subarray(1, -1)];
}

test('without a predictor a row stays as it is', () => {
  expect(undo([1, 2, 3, 4], 1, 1, 8)).toEqual([1, 2, 3, 4]);
});

test('bytes are differences to the same sample of the pixel before', () => {
  expect(undo([1, 2, 3, 255], 1, 2, 8)).toEqual([1, 3, 6, 5]);
  expect(undo([1, 100, 1, 200, 1, 1], 2, 2, 8)).toEqual([1, 100, 2, 44, 3, 45]);
});

test('so are words of 16 bits, in the byte order of the file; the rest of one is left alone', () => {
  expect(undo([255, 0, 1, 0, 2, 0, 9], 1, 2, 16)).toEqual([255, 0, 0, 1, 2, 1, 9]);
  expect(undo([0, 255, 0, 1, 255, 255], 1, 2, 16, false)).toEqual([0, 255, 1, 0, 0, 255]);
  expect(undo([1, 0, 5, 0, 255, 255, 1, 0], 2, 2, 16)).toEqual([1, 0, 5, 0, 0, 0, 6, 0]);
});

test('so are words of 32 bits', () => {
  expect(undo([255, 255, 0, 0, 1, 0, 0, 0], 1, 2, 32)).toEqual([255, 255, 0, 0, 0, 0, 1, 0]);
  expect(undo([0, 0, 255, 255, 0, 0, 0, 1], 1, 2, 32, false)).toEqual([0, 0, 255, 255, 0, 1, 0, 0]);
});

test('floats are planes of bytes, the highest first, of which each is a difference', () => {
  // 1.0 is 3f 80 00 00 and 2.0 is 40 00 00 00: planes 3f 40, 80 00, 00 00, 00 00.
  const differences = [0x3f, 0x01, 0x40, 0x80, 0, 0, 0, 0];
  expect(undo(differences, 1, 3, 32)).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]);
  expect(undo(differences, 1, 3, 32, false)).toEqual([0x3f, 0x80, 0, 0, 0x40, 0, 0, 0]);
});
