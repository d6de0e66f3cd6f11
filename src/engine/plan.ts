import { z } from 'zod';
import { CodedError } from '../errors.ts';
import { blockPixels, kernelSetNames } from './kernel-layout.ts';

/**
 * The engine's file: `RNI8`, format version (u32), length of the plan (u32), the plan as JSON, padding
 * to 64 bytes, then the weights, each part at a multiple of 64. Little-endian. The plan has every decision that can be
 * made when a model is compiled; a session only follows it. One file serves both kernel sets: sizes and offsets of
 * activations are in elements, operators name parts of the weights, and memory-layout.ts computes the addresses.
 */
export const magic = 0x38494e52; // "RNI8"
export const formatVersion = 4;
export const headerBytes = 12;
export const alignment = 64;

const size = z.int().min(0).max(0x7fff_ffff);
const finite = z.number();
const pair = z.tuple([size, size]);

const tensorSchema = z.strictObject({
  height: size.min(1),
  width: size.min(1),
  /** Physical: a multiple of 8, or 3 for the image. */
  channels: size.min(1),
  /** Rows above and below and columns left and right of the tensor, which convolutions read as padding. */
  pad: z.strictObject({ top: size, left: size, bottom: size, right: size }),
  zero_point: size.max(255),
  /** What the border holds: the zero point, or for a maximum the quantized 0, which is the smallest value. */
  border: z.enum(['zero', 'lowest']),
  /** Offset in the arena, in elements. */
  offset: size,
});

const residualSchema = z.strictObject({
  tensor: size,
  own_scale: finite,
  residual_scale: finite,
  fixed: finite,
  own_zero_point: size,
  residual_zero_point: size,
  sum_zero_point: size,
  residual_first: z.boolean(),
  low: size,
  high: size,
});

/**
 * Winograd's way, in tiles of side x side outputs. 3 is for a kernel of 7 x 7 with stride 2 on 3 channels, 7 and 14
 * for an output of 7 x 7 or 14 x 14, in tiles of 4 and of 3.
 */
const winogradSchema = z.strictObject({
  side: z.literal([2, 3, 4, 7, 14]),
  /** Rows of tiles computed at once. */
  tile_rows: size.min(1),
  /** The kernel sets on which it is faster. */
  sets: z.array(z.enum(kernelSetNames)),
});

/** One level of Strassen's algorithm, on the plain kernels. */
const strassenSchema = z.strictObject({
  /** Pixels computed at once, an even number. */
  block_pixels: size.min(2).max(blockPixels).multipleOf(2),
});

/** Each panel of 8 output channels reads a run of input channels of its own. */
const groupedSchema = z.strictObject({
  /** Index of a part: an int32 for each panel, its first input channel. */
  offsets: size,
  /** Input channels of a panel, a multiple of 8; weights beyond a group's own are 0. */
  length: size.min(8),
});

/** A layer in floats. Indices of parts: weights [outputs][inputs], bias [outputs]. */
const denseLayerSchema = z.strictObject({ weights: size, bias: size, relu: z.boolean() });

const operatorSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('quantize_input'),
    target: size,
    scale: z.number().positive(),
    zero_point: size,
  }),
  z.strictObject({
    type: z.literal('convolve'),
    name: z.string(),
    source: size,
    target: size,
    kernel: pair,
    stride: pair,
    /** Top and left padding of this convolution. */
    pads: pair,
    /** Indices of parts. */
    weights: size,
    bias: size,
    multiplier: size,
    winograd: winogradSchema.optional(),
    strassen: strassenSchema.optional(),
    grouped: groupedSchema.optional(),
    low: z.int(),
    high: z.int(),
    residual: residualSchema.optional(),
  }),
  z.strictObject({
    type: z.literal('max_pool'),
    source: size,
    target: size,
    kernel: pair,
    stride: pair,
    pads: pair,
  }),
  z.strictObject({
    type: z.literal('average_pool'),
    source: size,
    target: size,
    kernel: pair,
    stride: pair,
    pads: pair,
    /** What one step of the source and of the target stand for. */
    scale: z.number().positive(),
    result_scale: z.number().positive(),
    low: size.max(255),
    high: size.max(255),
  }),
  z.strictObject({
    type: z.literal('global_average_pool'),
    source: size,
    target: size,
    multiplier: finite,
    low: z.int(),
    high: z.int(),
  }),
  z.strictObject({
    type: z.literal('classify'),
    source: size,
    /** Indices of parts. */
    weights: size,
    bias: size,
    multiplier: size,
    classes: size.min(1),
    length: size.min(1),
    /** Present if the graph quantizes its logits. */
    logits: z.strictObject({ scale: finite, zero_point: size }).optional(),
  }),
  z.strictObject({
    type: z.literal('dense_head'),
    source: size,
    /** What one step of the source stands for. */
    scale: z.number().positive(),
    /** Channels of the graph. The tensor may have more, as padding. */
    channels: size.min(1),
    /** The features: a pool's channels, then the next one's. */
    pools: z
      .array(z.enum(['mean', 'max']))
      .min(1)
      .max(2),
    layers: z.array(denseLayerSchema).max(8),
  }),
]);

/** The end of a residual block. Its activations are pooled to features if a request asks for them. */
const featureSchema = z.strictObject({
  /** Index of the operator after which the block's tensor is whole. */
  operator: size,
  tensor: size,
  /** As the graph has them: the tensor's may be padded. */
  channels: size.min(1),
  /** What one step of the tensor stands for. */
  scale: z.number().positive(),
});

/** A run of bytes in the file, in order. */
const partSchema = z.strictObject({
  bytes: size,
});

const planSchema = z.strictObject({
  /** `quantize_input` takes four pixels of a row at once. */
  input: z.strictObject({ name: z.string(), height: size.min(1), width: size.min(4) }),
  output: z.strictObject({ name: z.string(), classes: size.min(1) }),
  tensors: z.array(tensorSchema).max(2000),
  operators: z.array(operatorSchema).max(2000),
  /** First block first. */
  features: z.array(featureSchema).max(200),
  parts: z.array(partSchema).max(10_000),
  /** All activations, sharing memory where they are never alive together; in elements. */
  arena_elements: size,
});

type DenseHead = Extract<z.infer<typeof operatorSchema>, { type: 'dense_head' }>;

/** Everything that an operator names must exist, and every tensor must lie in the arena: kernels do not check addresses. */
const soundPlanSchema = planSchema.refine(
  ({ tensors, operators, features, parts, arena_elements, output }) => {
    const isTensor = (id: number) => id < tensors.length;
    const floatsOf = (part: number) => (parts[part]?.bytes ?? -4) / 4;
    const isSoundHead = ({ source, channels, pools, layers }: DenseHead) => {
      let width = channels * pools.length;
      const fits = layers.every(({ weights, bias }) => {
        const inputs = width;
        width = floatsOf(bias);
        return width > 0 && floatsOf(weights) === inputs * width;
      });
      return fits && width === output.classes && channels <= (tensors[source]?.channels ?? 0);
    };
    return (
      features.every(
        ({ operator, tensor, channels }) =>
          operator < operators.length && isTensor(tensor) && channels <= tensors[tensor]!.channels,
      ) &&
      operators.every((operator) => operator.type !== 'dense_head' || isSoundHead(operator)) &&
      tensors.every((tensor) => tensor.offset + tensorElements(tensor) <= arena_elements) &&
      operators.every(
        (operator) =>
          (!('source' in operator) || isTensor(operator.source)) &&
          (!('target' in operator) || isTensor(operator.target)) &&
          (!('residual' in operator && operator.residual) || isTensor(operator.residual.tensor)) &&
          (!('grouped' in operator && operator.grouped) || operator.grouped.offsets < parts.length) &&
          (!('weights' in operator) ||
            [operator.weights, operator.bias, operator.multiplier].every((part) => part < parts.length)),
      )
    );
  },
  'names a tensor or part that is not there',
);

export type Plan = z.infer<typeof planSchema>;
export type PlanTensor = Plan['tensors'][number];
export type PlanFeature = Plan['features'][number];
export type PlanOperator = Plan['operators'][number];
export type WinogradTiles = z.infer<typeof winogradSchema>;
export type PlanPart = Plan['parts'][number];

/** @throws {CodedError} `model_corrupt` if it is no plan of this version. */
export function parsePlan(bytes: Uint8Array): Plan {
  try {
    return soundPlanSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new CodedError('model_corrupt', 'The plan of the model file cannot be read.', { cause });
  }
}

/**
 * @param header the file's first 12 bytes.
 * @returns length of the plan in bytes.
 * @throws {CodedError} `model_corrupt`.
 */
export function parseHeader(header: Uint8Array): number {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== magic)
    throw new CodedError('model_corrupt', 'This is no file of the int8 engine.');
  if (view.getUint32(4, true) !== formatVersion) {
    throw new CodedError(
      'model_corrupt',
      `The model file has format ${view.getUint32(4, true)}, not ${formatVersion}.`,
    );
  }
  return view.getUint32(8, true);
}

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Elements of one tensor in the arena, border included, with room for kernels that read a step too far. */
export function tensorElements({ height, width, channels, pad }: Omit<PlanTensor, 'offset'>): number {
  const rows = height + pad.top + pad.bottom;
  const columns = width + pad.left + pad.right;
  return alignUp(rows * columns * channels + 128);
}
