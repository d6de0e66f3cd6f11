import { z } from 'zod';
import { CodedError } from '../errors.ts';

/**
 * A head's file: `RNHD`, format version (u32), length of the JSON (u32), the JSON, zeros up to a multiple of 4, then
 * float32: weights [classes][features], biases [classes]. Little-endian.
 */
const magic = 0x44484e52; // "RNHD"
const formatVersion = 1;
const headerBytes = 12;
const floatBytes = Float32Array.BYTES_PER_ELEMENT;

const headSchema = z.strictObject({
  classes: z.int().min(2),
  /** Values of each block of the backbone that the features are made of, first block first. */
  blocks: z.array(z.int().positive()).min(1),
  /** Divides the sums before softmax, so that scores are probabilities one can rely on. */
  temperature: z.number().positive(),
  /** Below it the best score means "none of these"; 0 for never. */
  threshold: z.number().min(0).max(1),
});

/** A small linear classifier over the features of a backbone. */
export interface Head extends z.infer<typeof headSchema> {
  /** FP32 [classes][features], row-major. */
  readonly weights: Float32Array;
  /** FP32 [classes]. */
  readonly biases: Float32Array;
}

const countFeatures = ({ blocks }: Pick<Head, 'blocks'>) => blocks.reduce((sum, size) => sum + size, 0);

/** @returns the file of a head. */
export function formatHead({ weights, biases, ...fields }: Head): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(fields));
  const start = alignToFloat(headerBytes + json.length);
  const file = new Uint8Array(start + (weights.length + biases.length) * floatBytes);
  const view = new DataView(file.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, formatVersion, true);
  view.setUint32(8, json.length, true);
  file.set(json, headerBytes);
  new Float32Array(file.buffer, start).set(weights);
  new Float32Array(file.buffer, start + weights.length * floatBytes).set(biases);
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
  if (!parsed.success) throw corrupt('The head’s fields cannot be read.');
  const fields = parsed.data;
  const start = alignToFloat(jsonEnd);
  const weightCount = fields.classes * countFeatures(fields);
  if (file.length !== start + (weightCount + fields.classes) * floatBytes)
    throw corrupt(`The head has ${file.length} bytes, which is not what its fields say.`);
  // A copy: a file may begin anywhere in its buffer, and floats at multiples of 4 alone.
  const floats = new Float32Array(file.slice(start).buffer);
  return { ...fields, weights: floats.subarray(0, weightCount), biases: floats.subarray(weightCount) };
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
