import { z } from 'zod';
import { CodedError } from '../../errors.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { parseUntrustedJson } from '../../lib/parse-untrusted-json.ts';
import { readBinaryTensor } from './binary-tensor.ts';
import { readJsonTensor } from './json-tensor.ts';
import { countElements, type OpenTensor, openDatatypes, tensorError } from './tensor.ts';

/** Budgets of one request, checked before anything is allocated for its tensors. */
export interface InferLimits {
  /** Elements of one tensor: numbers, or byte strings. */
  readonly maxElements: number;
  readonly maxInputs: number;
}

export interface InferRequest {
  /** Echoed in the answer. */
  readonly id: string | undefined;
  readonly inputs: readonly OpenTensor[];
  /** Empty: the server chooses, which means every output. */
  readonly outputs: readonly RequestedOutput[];
  /** Whether outputs that say nothing of it follow the JSON as bytes. */
  readonly binaryOutput: boolean;
}

export interface RequestedOutput {
  readonly name: string;
  /** Triton's extension: the `classification` best classes as `score:index:label` strings. */
  readonly classification: number | undefined;
  /** Whether the tensor follows the JSON as bytes. */
  readonly binary: boolean;
}

/** Dimensions a tensor may have; an image batch has four. */
const maxRank = 8;

const parametersSchema = z.record(z.string(), z.unknown()).default({});
const requestSchema = z.object({
  id: z.string().max(256).optional(),
  parameters: parametersSchema,
  inputs: z
    .array(
      z.object({
        name: z.string().min(1).max(256),
        shape: z.array(z.unknown()).max(maxRank),
        datatype: z.string(),
        parameters: parametersSchema,
        // Not copied, not walked: a tensor may have a million elements, and readJsonTensor names the wrong one.
        data: z.custom<unknown[]>(Array.isArray, 'expected an array').optional(),
      }),
    )
    .min(1),
  outputs: z
    .array(z.object({ name: z.string().min(1).max(256), parameters: parametersSchema }))
    .max(64)
    .default([]),
});
type JsonRequest = z.infer<typeof requestSchema>;
type JsonInput = JsonRequest['inputs'][number];

/**
 * The body of `POST /v2/models/{name}/infer`, in JSON or with the binary tensor data extension.
 *
 * @param body the whole body.
 * @param headerLength value of `Inference-Header-Content-Length`, null without one: then all is JSON.
 * @throws {CodedError} `json_invalid` if the JSON is not one of the protocol; `tensor_invalid`, naming
 *   index and value, if a tensor contradicts its shape or datatype.
 * @see Open Inference Protocol v2 (kserve/open-inference-protocol), Triton's extension_binary_data.
 */
export function parseInferRequest(
  body: Uint8Array,
  headerLength: string | null,
  limits: InferLimits,
): InferRequest {
  const jsonBytes =
    headerLength === null ? body.byteLength : parseHeaderLength(headerLength, body.byteLength);
  const { id, parameters, inputs, outputs } = parseJson(body.subarray(0, jsonBytes));
  if (inputs.length > limits.maxInputs) {
    throw new CodedError('json_invalid', `${inputs.length} inputs, at most ${limits.maxInputs} are taken.`);
  }
  let rest = body.subarray(jsonBytes);
  const tensors = inputs.map((input, index) => {
    const where = `inputs[${index}]`;
    const bytes = readBinarySize(input, where);
    if (bytes === undefined) return toTensor(input, where, limits);
    if (bytes > rest.byteLength) {
      throw tensorError(
        `${where}.parameters.binary_data_size`,
        `at most the ${rest.byteLength} bytes left`,
        bytes,
      );
    }
    const own = rest.subarray(0, bytes);
    rest = rest.subarray(bytes);
    return toTensor(input, where, limits, own);
  });
  if (rest.byteLength > 0) {
    throw new CodedError('tensor_invalid', `${rest.byteLength} bytes follow the last tensor.`);
  }
  const binaryOutput = parameters['binary_data_output'] === true;
  return {
    id,
    inputs: tensors,
    outputs: outputs.map((output) => toOutput(output, binaryOutput)),
    binaryOutput,
  };
}

function parseHeaderLength(text: string, bodyBytes: number): number {
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value > 0 && value <= bodyBytes) return value;
  throw tensorError('Inference-Header-Content-Length', `from 1 to the body's ${bodyBytes} bytes`, text);
}

function parseJson(bytes: Uint8Array): JsonRequest {
  let json: unknown;
  try {
    json = parseUntrustedJson(bytes, true);
  } catch (error) {
    const reason = error instanceof RangeError ? `has ${error.message}` : 'is not JSON';
    throw new CodedError('json_invalid', `The body ${reason}.`);
  }
  const parsed = requestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new CodedError('json_invalid', `${formatIssue(parsed.error.issues[0], 'The request')}.`);
}

function readBinarySize({ parameters, data }: JsonInput, where: string): number | undefined {
  const size = parameters['binary_data_size'];
  if (size === undefined) return undefined;
  if (data !== undefined) {
    throw new CodedError('tensor_invalid', `${where} has both "data" and "binary_data_size".`);
  }
  if (Number.isSafeInteger(size) && (size as number) >= 0) return size as number;
  throw tensorError(`${where}.parameters.binary_data_size`, 'a whole number of bytes', size);
}

function toTensor(input: JsonInput, where: string, limits: InferLimits, binary?: Uint8Array): OpenTensor {
  const datatype = openDatatypes.find((known) => known === input.datatype);
  if (!datatype) throw tensorError(`${where}.datatype`, `one of ${openDatatypes.join(', ')}`, input.datatype);
  const shape = parseShape(input.shape, where);
  const elements = countElements(shape);
  if (elements > limits.maxElements) {
    throw tensorError(`${where}.shape`, `of at most ${limits.maxElements} elements`, shape);
  }
  const { name } = input;
  if (binary) return { name, shape, ...readBinaryTensor(binary, datatype, elements, where) };
  if (!input.data) throw new CodedError('tensor_invalid', `${where} has no data.`);
  return { name, shape, ...readJsonTensor(input.data, datatype, shape, where) };
}

function parseShape(shape: readonly unknown[], where: string): readonly number[] {
  return shape.map((size, index) => {
    if (Number.isSafeInteger(size) && (size as number) > 0) return size as number;
    throw tensorError(`${where}.shape[${index}]`, 'a positive integer', size);
  });
}

function toOutput({ name, parameters }: JsonRequest['outputs'][number], binaryDefault: boolean) {
  const { classification, binary_data: binary } = parameters;
  if (classification !== undefined && !(Number.isSafeInteger(classification) && Number(classification) > 0)) {
    throw tensorError(`classification of output "${name}"`, 'a positive integer', classification);
  }
  return {
    name,
    classification: classification as number | undefined,
    binary: typeof binary === 'boolean' ? binary : binaryDefault,
  };
}
