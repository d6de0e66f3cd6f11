import { decodeBase64 } from '../../lib/base64.ts';
import { countElements, type OpenDatatype, type TensorData, tensorError } from './tensor.ts';

/**
 * `data` of a JSON tensor: flat in row-major order, or nested as the shape says. BYTES are base64, since
 * JSON has no other way to carry an image.
 *
 * @param data not trusted.
 * @throws {CodedError} `tensor_invalid`, naming the element that is wrong.
 */
export function readJsonTensor(
  data: readonly unknown[],
  datatype: OpenDatatype,
  shape: readonly number[],
  where: string,
): TensorData {
  const elements = countElements(shape);
  const isNested = Array.isArray(data[0]);
  if (!isNested && data.length !== elements) {
    throw tensorError(`${where}.data`, `${elements} elements, as the shape says`, data.length);
  }
  const walk = (write: (value: unknown, index: number, place: string) => void) => {
    if (isNested) walkNested(data, shape, 0, 0, `${where}.data`, write);
    else for (let index = 0; index < elements; index++) write(data[index], index, `${where}.data[${index}]`);
  };
  switch (datatype) {
    case 'FP32': {
      const values = new Float32Array(elements);
      walk((value, index, place) => {
        if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
          throw tensorError(place, 'a number that fits FP32', value);
        }
        values[index] = value;
      });
      return { datatype, data: values };
    }
    case 'UINT8': {
      const values = new Uint8Array(elements);
      walk((value, index, place) => {
        if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 255) {
          throw tensorError(place, 'an integer from 0 to 255', value);
        }
        values[index] = value as number;
      });
      return { datatype, data: values };
    }
    case 'BYTES': {
      const values: Uint8Array[] = [];
      walk((value, _, place) => {
        const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
        if (!bytes) throw tensorError(place, 'a base64 string', value);
        values.push(bytes);
      });
      return { datatype, data: values };
    }
  }
}

/** @returns The index after the last element written. */
function walkNested(
  level: unknown,
  shape: readonly number[],
  axis: number,
  start: number,
  where: string,
  write: (value: unknown, index: number, place: string) => void,
): number {
  const size = shape[axis]!;
  if (!Array.isArray(level) || level.length !== size) {
    throw tensorError(
      where,
      `an array of ${size}, as the shape says`,
      Array.isArray(level) ? level.length : level,
    );
  }
  let index = start;
  for (let place = 0; place < size; place++) {
    const value: unknown = level[place];
    if (axis < shape.length - 1)
      index = walkNested(value, shape, axis + 1, index, `${where}[${place}]`, write);
    else write(value, index++, `${where}[${place}]`);
  }
  return index;
}
