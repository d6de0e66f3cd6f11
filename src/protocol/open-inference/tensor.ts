import { CodedError } from '../../errors.ts';

/**
 * Tensors as the Open Inference Protocol names them. Of its datatypes these three are taken: an image
 * classifier has no use for the others.
 */
export type OpenTensor = {
  readonly name: string;
  /** Every dimension is a positive integer; `data.length` is their product. */
  readonly shape: readonly number[];
} & TensorData;

export type TensorData =
  | { readonly datatype: 'FP32'; readonly data: Float32Array }
  | { readonly datatype: 'UINT8'; readonly data: Uint8Array }
  /** One element is one byte string: an image file, or a `score:index:label` text. */
  | { readonly datatype: 'BYTES'; readonly data: readonly Uint8Array[] };

export type OpenDatatype = TensorData['datatype'];
export const openDatatypes = ['FP32', 'UINT8', 'BYTES'] as const satisfies readonly OpenDatatype[];

/** @param where names the place in the request, e.g. `inputs[0].data[17]`. */
export function tensorError(where: string, expected: string, got: unknown): CodedError {
  return new CodedError('tensor_invalid', `${where} must be ${expected}, got: ${show(got)}.`);
}

/** A value in a message: short, and quoted where it is text. */
function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}

/** @returns The product of the dimensions; 1 for none. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
