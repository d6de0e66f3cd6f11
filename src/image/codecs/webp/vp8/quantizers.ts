import type { BoolDecoder } from './bool-decoder.ts';

/** By quantizer index, 0 to 127. @see RFC 6386 section 14.1 */
const dcSteps = new Uint8Array([
  4, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13, 14, 15, 16, 17, 17, 18, 19, 20, 20, 21, 21, 22, 22, 23, 23, 24, 25,
  25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 46, 47, 48, 49,
  50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76,
  76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 91, 93, 95, 96, 98, 100, 101, 102, 104, 106, 108,
  110, 112, 114, 116, 118, 122, 124, 126, 128, 130, 132, 134, 136, 138, 140, 143, 145, 148, 151, 154, 157,
]);
const acSteps = new Uint16Array([
  4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
  32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58,
  60, 62, 64, 66, 68, 70, 72, 74, 76, 78, 80, 82, 84, 86, 88, 90, 92, 94, 96, 98, 100, 102, 104, 106, 108,
  110, 112, 114, 116, 119, 122, 125, 128, 131, 134, 137, 140, 143, 146, 149, 152, 155, 158, 161, 164, 167,
  170, 173, 177, 181, 185, 189, 193, 197, 201, 205, 209, 213, 217, 221, 225, 229, 234, 239, 245, 249, 254,
  259, 264, 269, 274, 279, 284,
]);

/** Steps of the coefficients of one segment: of luma, of luma's second-order DC (WHT), of chroma. */
export interface Quantizer {
  readonly lumaDc: number;
  readonly lumaAc: number;
  readonly secondDc: number;
  readonly secondAc: number;
  readonly chromaDc: number;
  readonly chromaAc: number;
}

/** What the frame header says of quantization. */
export interface QuantizerIndices {
  readonly base: number;
  readonly lumaDcDelta: number;
  readonly secondDcDelta: number;
  readonly secondAcDelta: number;
  readonly chromaDcDelta: number;
  readonly chromaAcDelta: number;
}

/** @see RFC 6386 section 9.6 */
export function readQuantizerIndices(header: BoolDecoder): QuantizerIndices {
  return {
    base: header.readUint(7),
    lumaDcDelta: header.readOptionalInt(4),
    secondDcDelta: header.readOptionalInt(4),
    secondAcDelta: header.readOptionalInt(4),
    chromaDcDelta: header.readOptionalInt(4),
    chromaAcDelta: header.readOptionalInt(4),
  };
}

/** @param base that of the segment; any integer, cut to 0 to 127 with each delta. */
export function createQuantizer(base: number, indices: QuantizerIndices): Quantizer {
  return {
    lumaDc: step(dcSteps, base + indices.lumaDcDelta),
    lumaAc: step(acSteps, base),
    secondDc: step(dcSteps, base + indices.secondDcDelta) * 2,
    secondAc: Math.max(8, Math.trunc((step(acSteps, base + indices.secondAcDelta) * 155) / 100)),
    chromaDc: step(dcSteps, Math.min(base + indices.chromaDcDelta, 117)),
    chromaAc: step(acSteps, base + indices.chromaAcDelta),
  };
}

function step(steps: Uint8Array | Uint16Array, index: number): number {
  return steps[Math.min(Math.max(index, 0), 127)]!;
}
