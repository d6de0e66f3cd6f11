import { z } from 'zod';
import { readBinaryTensor, toBinaryTensor } from './binary-tensor.ts';
import type { FormattedMessage } from './infer-response.ts';
import { countElements, type OpenTensor, tensorError } from './tensor.ts';

const answerSchema = z.object({
  outputs: z.tuple([z.object({ name: z.string(), shape: z.array(z.int()) })]),
});

/** The client's side of `POST .../infer`: one tensor there and one FP32 tensor back, both as bytes. */
export function formatInferCall(input: OpenTensor, outputName: string): FormattedMessage {
  const bytes = toBinaryTensor(input);
  const { name, shape, datatype } = input;
  const json = new TextEncoder().encode(
    JSON.stringify({
      inputs: [{ name, shape, datatype, parameters: { binary_data_size: bytes.byteLength } }],
      outputs: [{ name: outputName, parameters: { binary_data: true } }],
    }),
  );
  const body = new Uint8Array(json.byteLength + bytes.byteLength);
  body.set(json);
  body.set(bytes, json.byteLength);
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(json.byteLength),
    },
    body,
  };
}

/**
 * @param headerLength value of the answer's `Inference-Header-Content-Length`.
 * @param shape what the output must have.
 * @throws {CodedError} `tensor_invalid`, or {SyntaxError}, if the answer is anything else.
 */
export function readInferAnswer(
  body: Uint8Array,
  headerLength: string | null,
  outputName: string,
  shape: readonly number[],
): Float32Array {
  const jsonBytes = Number(headerLength);
  const json: unknown = JSON.parse(new TextDecoder().decode(body.subarray(0, jsonBytes)));
  const [output] = answerSchema.safeParse(json).data?.outputs ?? [];
  if (output?.name !== outputName || String(output.shape) !== String(shape)) {
    throw tensorError('outputs', `one tensor "${outputName}" of [${shape}]`, output);
  }
  const tensor = readBinaryTensor(body.subarray(jsonBytes), 'FP32', countElements(shape), 'outputs[0]');
  if (tensor.datatype !== 'FP32') throw tensorError('outputs[0].datatype', 'FP32', tensor.datatype);
  return tensor.data;
}
