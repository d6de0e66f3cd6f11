import { toBinaryTensor } from './binary-tensor.ts';
import type { OpenTensor } from './tensor.ts';

export interface InferResponse {
  readonly modelName: string;
  readonly modelVersion: string;
  /** As the request had it. */
  readonly id: string | undefined;
  /** In the order in which they are to be sent. BYTES are UTF-8 texts when they go out as JSON. */
  readonly outputs: readonly { readonly tensor: OpenTensor; readonly binary: boolean }[];
}

/** Headers and body of an infer call or of its answer. */
export interface FormattedMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The answer to an infer request: JSON, followed by the bytes of those outputs that are asked for as binary. */
export function formatInferResponse(response: InferResponse): FormattedMessage {
  const binaries: Uint8Array[] = [];
  const outputs = response.outputs.map(({ tensor, binary }) => {
    const { name, shape, datatype } = tensor;
    if (!binary) return { name, shape, datatype, data: toJsonData(tensor) };
    const bytes = toBinaryTensor(tensor);
    binaries.push(bytes);
    return { name, shape, datatype, parameters: { binary_data_size: bytes.byteLength } };
  });
  const json = new TextEncoder().encode(
    JSON.stringify({
      model_name: response.modelName,
      model_version: response.modelVersion,
      ...(response.id === undefined ? {} : { id: response.id }),
      outputs,
    }),
  );
  const body = new Uint8Array(binaries.reduce((sum, { byteLength }) => sum + byteLength, json.byteLength));
  body.set(json);
  let offset = json.byteLength;
  for (const bytes of binaries) {
    body.set(bytes, offset);
    offset += bytes.byteLength;
  }
  if (binaries.length === 0) return { headers: { 'content-type': 'application/json' }, body };
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(json.byteLength),
    },
    body,
  };
}

function toJsonData(tensor: OpenTensor): readonly (number | string)[] {
  if (tensor.datatype !== 'BYTES') return Array.from(tensor.data);
  const decoder = new TextDecoder();
  return tensor.data.map((bytes) => decoder.decode(bytes));
}
