/**
 * The memory layout that the generated WebAssembly and the calling code share. Activations are NHWC. Their number of
 * physical channels is a multiple of 8, or 3 for the image. Weights are int8 in panels of 8 output channels.
 */

export const kernelSetNames = ['plain', 'relaxed'] as const;
export type KernelSetName = (typeof kernelSetNames)[number];

export interface KernelTraits {
  readonly name: KernelSetName;
  /** Bytes of an activation: 2 for a centred int16 (quantized value minus zero point), 1 for the quantized U8. */
  readonly elementBytes: 1 | 2;
  /** Output pixels that share a pass over a weight panel. One more spills registers: see README.md. */
  readonly tilePixels: number;
  /** Whether a weight panel becomes int16 before pixels pass it, or is read as the file holds it. */
  readonly widensPanels: boolean;
}

export const kernelTraits: Readonly<Record<KernelSetName, KernelTraits>> = {
  plain: { name: 'plain', elementBytes: 2, tilePixels: 5, widensPanels: true },
  relaxed: { name: 'relaxed', elementBytes: 1, tilePixels: 6, widensPanels: false },
};

/** Output channels of a weight panel: two vectors of four int32 accumulators. */
export const panelChannels = 8;
/** Elements of the inner loop; a segment's length is a multiple of half of it. */
export const segmentStep = 16;
export const shortStep = segmentStep / 2;

/** 1.5 x 2^23: adding it to a float leaves an integer in the low mantissa bits, rounded half to even. */
export const magic = 12_582_912;
/** The same number's bits. */
export const magicBits = 0x4b400000;

/** The same for a fixed point: adding 1.5 x 2^9 to a float of -256 to 256 leaves it in 2^-14. */
export const fixedPoint = { bits: 14, magic: 768, magicBits: 0x44400000 } as const;

/**
 * Unused bytes behind each position's share of Winograd's scratch. Without them, if a share's size is a power of two, all
 * positions of a tile fall into the same set of the L1 cache.
 */
export const winogradSkew = 64;

/** Fixed scratch at the bottom of memory. */
export const scratch = {
  zeros: 0, // a bias of zero; never written
  end: 64,
} as const;

/** A block of output pixels: addresses of input, output and residual of each. */
export const pixelEntryBytes = 12;
export const pixelTable = { input: 0, output: 4, residual: 8 } as const;
/** Pixels of a block: their inputs, residuals and outputs stay in the L2 cache while all panels pass. */
export const blockPixels = 512;

/** Fields of a convolution's descriptor in memory, in order; each takes 4 bytes. */
const convFields = [
  'input', // first element read for output pixel (0, 0)
  'output', // first interior pixel
  'weights',
  'bias', // int32 [channels]
  'multiplier', // float32 [channels]
  'residual', // first interior pixel, or 0
  'height', // of the output
  'width',
  'channels', // physical, of the output
  'segments', // kernel rows
  'segmentLength', // elements: kernel width x input channels, rounded up to shortStep
  'segmentSkip', // bytes from a segment's end to the next one's start
  'inputStepX', // bytes between the inputs of neighbouring output pixels
  'inputStepY',
  'outputStepX',
  'outputStepY',
  'residualStepX',
  'residualStepY',
  'magic', // float32: see above
  'low', // clamp of the convolution's own result, as int32 with the magic number's bits in it
  'high',
  'resultHigh', // the same as it is stored
  'resultBase', // int32: subtracted after rounding, see requantize.ts
  'residualLow', // clamp after the addition, of values as they are stored
  'residualHigh',
  'ownBase', // float32
  'residualZeroPoint', // turns a centred value back into what ORT multiplies
  'shifted', // float32: the constant part of a sum of stored values, plus what makes the fixed point and rounds halves up
  'sumMask', // int32: of a fraction
  'sumWindow', // int32: a fraction below it is too near to a half
  'sumBase', // int32
  'exactBase', // int32: subtracted from what the magic number rounds
  'ownScale', // float32: own scale / sum scale
  'residualScale',
  'fixed', // float32: the constant part of the sum, as ORT rounds it
  'residualFirst', // 1 if the residual is ORT's first operand
  'pixels', // scratch: the table of a block of pixels
  'inputChannels', // physical; Winograd only; Strassen: half of them
  'inputRowBytes', // Winograd only
  'inputZero', // Winograd only: of the input as it is stored
  'transformed', // Winograd: scratch for V
  'products', // Winograd: scratch for M
  'tileRows', // Winograd: rows of tiles per block; Strassen: pixels per block
  'panel', // scratch for a weight panel in int16
] as const;

/** A grouped convolution never uses Winograd's way. Its own fields take the places of Winograd's. */
const groupedFields = {
  groupOffsets: 'transformed', // int32 [panels], a panel's first input channel
  kernelWidth: 'products', // segments of a kernel row
  rowSkip: 'tileRows', // bytes from a kernel row's end to the next one's start, beyond segmentSkip
} as const satisfies Record<string, (typeof convFields)[number]>;

export type ConvField = (typeof convFields)[number] | keyof typeof groupedFields;
export const convDescriptorBytes = convFields.length * 4;
const offsets = new Map<string, number>(convFields.map((name, index) => [name, index * 4]));
for (const [name, place] of Object.entries(groupedFields)) offsets.set(name, offsets.get(place)!);

/** @returns byte offset of a descriptor's field. */
export function fieldOffset(name: ConvField): number {
  return offsets.get(name)!;
}
