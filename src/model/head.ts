import { z } from 'zod';
import { CodedError } from '../errors.ts';

/**
 * A head's file: `RNHD`, format version (u32), length of the JSON (u32), the JSON, zeros up to a multiple of 4, then
 * float32: weights [classes][features], biases [classes]; then uint8: means [classes][features]. Little-endian.
 */
const magic = 0x44484e52; // "RNHD"
const formatVersion = 2;
const headerBytes = 12;
const floatBytes = Float32Array.BYTES_PER_ELEMENT;

const headSchema = z.strictObject({
  classes: z.int().min(2),
  /** One a class, so that the file is complete without other files. */
  labels: z.array(z.string()).min(2),
  /** The version whose features it classifies. */
  backbone: z.strictObject({ name: z.string(), version: z.string() }),
  /** Values of each block of the backbone that the features are made of, first block first. */
  blocks: z.array(z.int().positive()).min(1),
  /** Divides the sums before softmax, so that scores are calibrated probabilities. */
  temperature: z.number().positive(),
  /** A best score below it means "none of these"; 0 for never. */
  threshold: z.number().min(0).max(1),
  /** A similarity to the nearest class below it means "none of these"; 0 for never. */
  min_similarity: z.number().min(0).max(1),
});

/** A small linear classifier over the features of a backbone. */
export interface Head extends z.infer<typeof headSchema> {
  /** FP32 [classes][features], row-major. */
  readonly weights: Float32Array;
  /** FP32 [classes]. */
  readonly biases: Float32Array;
  /** [classes][features], row-major: the mean of each class's vectors, scaled so that its largest value is 255. */
  readonly means: Uint8Array;
}

/**
 * @param means FP32, one vector a class, none negative.
 * @returns the means as a head stores them: a quarter of the bytes, and cosines differ by less than 0.001.
 */
export function packMeans(means: readonly Float32Array[]): Uint8Array {
  const features = means[0]?.length ?? 0;
  const packed = new Uint8Array(means.length * features);
  for (const [label, mean] of means.entries()) {
    const largest = mean.reduce((a, b) => Math.max(a, b), 0);
    if (largest > 0)
      packed.set(
        mean.map((value) => Math.round((255 * value) / largest)),
        label * features,
      );
  }
  return packed;
}

const countFeatures = ({ blocks }: Pick<Head, 'blocks'>) => blocks.reduce((sum, size) => sum + size, 0);

/** @returns the file of a head. */
export function formatHead({ weights, biases, means, ...fields }: Head): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(fields));
  const start = alignToFloat(headerBytes + json.length);
  const file = new Uint8Array(start + (weights.length + biases.length) * floatBytes + means.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, formatVersion, true);
  view.setUint32(8, json.length, true);
  file.set(json, headerBytes);
  new Float32Array(file.buffer, start, weights.length).set(weights);
  new Float32Array(file.buffer, start + weights.length * floatBytes, biases.length).set(biases);
  file.set(means, file.length - means.length);
  return file;
}

/**
 * @param file as `formatHead` writes it, its hash checked.
 * @throws {CodedError} `model_corrupt`.
 */
export function parseHead(file: Uint8Array<ArrayBuffer>): Head {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < headerBytes || view.getUint32(0, true) !== magic)
    throw corrupt('This is no file of a head.');
  if (view.getUint32(4, true) !== formatVersion)
    throw corrupt(`The head has format ${view.getUint32(4, true)}, not ${formatVersion}.`);
  const jsonEnd = headerBytes + view.getUint32(8, true);
  const parsed = headSchema.safeParse(parseJson(file.subarray(headerBytes, jsonEnd)));
  if (!parsed.success || parsed.data.labels.length !== parsed.data.classes)
    throw corrupt('The head’s fields cannot be read.');
  const fields = parsed.data;
  const start = alignToFloat(jsonEnd);
  const weightCount = fields.classes * countFeatures(fields);
  const floatsEnd = start + (weightCount + fields.classes) * floatBytes;
  if (file.length !== floatsEnd + weightCount)
    throw corrupt(`The head has ${file.length} bytes, which is not what its fields say.`);
  // A copy, because a file may begin anywhere in its buffer, and floats must begin at a multiple of 4.
  const floats = new Float32Array(file.slice(start, floatsEnd).buffer);
  return {
    ...fields,
    weights: floats.subarray(0, weightCount),
    biases: floats.subarray(weightCount),
    means: file.slice(floatsEnd),
  };
}

/**
 * @param vector of the backbone's features, as long as `blocks` together; each block of length 1.
 * @returns one number for each class, before softmax.
 */
export function applyHead({ weights, biases, temperature }: Head, vector: Float32Array): Float32Array {
  return biases.map((bias, index) => {
    let sum = bias;
    const row = index * vector.length;
    for (let i = 0; i < vector.length; i++) sum += weights[row + i]! * vector[i]!;
    return sum / temperature;
  });
}

/**
 * How similar an image is to the photos that the head has learned from. If it is not similar, it shows none of the
 * classes, whatever the scores say.
 *
 * @param vector as of `applyHead`.
 * @returns the largest cosine between the vector and a class' mean, 0 to 1.
 */
export function measureSimilarity({ classes, means }: Head, vector: Float32Array): number {
  let length = 0;
  for (const value of vector) length += value * value;
  let largest = 0;
  for (let label = 0; label < classes; label++) {
    let product = 0;
    let squares = 0;
    const row = label * vector.length;
    for (let i = 0; i < vector.length; i++) {
      const value = means[row + i]!;
      product += value * vector[i]!;
      squares += value * value;
    }
    if (squares > 0 && length > 0) largest = Math.max(largest, product / Math.sqrt(squares * length));
  }
  return Math.min(1, largest);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

const alignToFloat = (bytes: number) => Math.ceil(bytes / floatBytes) * floatBytes;

function corrupt(message: string): CodedError {
  return new CodedError('model_corrupt', message, { retryAfterSeconds: 30 });
}
