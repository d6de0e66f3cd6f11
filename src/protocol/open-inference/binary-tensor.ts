import { CodedError } from '../../errors.ts';
import { type OpenDatatype, type TensorData, tensorError } from './tensor.ts';

/** A BYTES element is its length, little-endian, then its bytes. */
const lengthBytes = 4;

/**
 * One tensor of the binary tensor data extension: row-major, little-endian, no gaps.
 *
 * @param bytes exactly the tensor's own bytes; tensors are views of them, unless FP32 would not be aligned.
 * @throws {CodedError} `tensor_invalid` on a wrong length, or a value that is not finite.
 */
export function readBinaryTensor(
  bytes: Uint8Array,
  datatype: OpenDatatype,
  elements: number,
  where: string,
): TensorData {
  switch (datatype) {
    case 'FP32': {
      assertBytes(bytes, elements * Float32Array.BYTES_PER_ELEMENT, where);
      // V8 runs on little-endian machines only. A copy where the body has it at an odd place.
      const { buffer, byteOffset } = byteAligned(bytes);
      const data = new Float32Array(buffer, byteOffset, elements);
      assertFinite(data, where);
      return { datatype, data };
    }
    case 'UINT8':
      assertBytes(bytes, elements, where);
      return { datatype, data: bytes };
    case 'BYTES':
      return { datatype, data: readByteStrings(bytes, elements, where) };
  }
}

function byteAligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % Float32Array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
}

/** Zero times a finite value is zero, else NaN. Four sums tell all, sixteen times faster than asking each (measured). */
function assertFinite(data: Float32Array, where: string): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = data.length - (data.length % 4);
  for (let index = 0; index < whole; index += 4) {
    a += data[index]! * 0;
    b += data[index + 1]! * 0;
    c += data[index + 2]! * 0;
    d += data[index + 3]! * 0;
  }
  for (let index = whole; index < data.length; index++) a += data[index]! * 0;
  if (a + b + c + d === 0) return;
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  throw tensorError(`${where}.data[${wrong}]`, 'finite', data[wrong]);
}

function readByteStrings(bytes: Uint8Array, elements: number, where: string): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: Uint8Array[] = [];
  let offset = 0;
  for (let index = 0; index < elements; index++) {
    const left = bytes.byteLength - offset - lengthBytes;
    const length = left < 0 ? Number.NaN : view.getUint32(offset, true);
    if (!(length <= left)) {
      const got = Number.isNaN(length) ? bytes.byteLength - offset : length;
      throw tensorError(`${where}.data[${index}]`, `a length and at most ${Math.max(0, left)} bytes`, got);
    }
    offset += lengthBytes;
    strings.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  if (offset < bytes.byteLength) {
    throw new CodedError(
      'tensor_invalid',
      `${where} has ${bytes.byteLength - offset} bytes after its last element.`,
    );
  }
  return strings;
}

function assertBytes(bytes: Uint8Array, expected: number, where: string): void {
  if (bytes.byteLength === expected) return;
  throw tensorError(
    `${where}.parameters.binary_data_size`,
    `${expected}, as shape and datatype say`,
    bytes.byteLength,
  );
}

/** @returns The tensor's bytes as the extension lays them out. */
export function toBinaryTensor(tensor: TensorData): Uint8Array {
  if (tensor.datatype === 'UINT8') return tensor.data;
  if (tensor.datatype === 'FP32') {
    return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  }
  const total = tensor.data.reduce((sum, { byteLength }) => sum + lengthBytes + byteLength, 0);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const element of tensor.data) {
    view.setUint32(offset, element.byteLength, true);
    bytes.set(element, offset + lengthBytes);
    offset += lengthBytes + element.byteLength;
  }
  return bytes;
}
