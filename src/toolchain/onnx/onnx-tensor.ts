import { OnnxFormatError, UnsupportedGraphError } from './onnx-errors.ts';
import { type TensorProto, toSafeInteger } from './onnx-proto.ts';

/** Names of the Open Inference Protocol; the number is ONNX's TensorProto.DataType. */
export const datatypeCodes = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  INT32: 6,
  INT64: 7,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
} as const;

export type Datatype = keyof typeof datatypeCodes;

interface ArrayOf {
  FP32: Float32Array;
  UINT8: Uint8Array;
  INT8: Int8Array;
  INT32: Int32Array;
  INT64: BigInt64Array;
  BOOL: Uint8Array;
  /** IEEE 754 half precision, as bits. */
  FP16: Uint16Array;
  FP64: Float64Array;
}

/** A constant of the graph, row-major. `data.length` is the product of `shape` (1 for a scalar's []). */
export type OnnxTensor = {
  [D in Datatype]: { readonly datatype: D; readonly shape: readonly number[]; readonly data: ArrayOf[D] };
}[Datatype];

const arrayTypes = {
  FP32: Float32Array,
  UINT8: Uint8Array,
  INT8: Int8Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  BOOL: Uint8Array,
  FP16: Uint16Array,
  FP64: Float64Array,
} as const;

/** @returns The datatype of a TensorProto.DataType number, or undefined if this package does not read it. */
export function toDatatype(code: number): Datatype | undefined {
  return (Object.keys(datatypeCodes) as Datatype[]).find((name) => datatypeCodes[name] === code);
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Where a tensor's contents lie outside the model's file. */
export interface ExternalLocation {
  /** Path, relative to the model's file. */
  readonly file: string;
  /** Bytes from the file's start. */
  readonly offset: number;
  /** Bytes; undefined for all that is left. */
  readonly length: number | undefined;
}

/** Reads contents that lie in another file. */
export type ReadExternal = (location: ExternalLocation) => Uint8Array;

/**
 * @param readExternal gives the contents that lie in another file.
 * @returns The tensor with its own copy of the contents (wire bytes are rarely aligned).
 * @throws {UnsupportedGraphError} If the contents lie in another file that nothing reads, or have a type no ResNet needs.
 * @throws {OnnxFormatError} If the contents do not fill the shape.
 */
export function parseTensor(proto: TensorProto, readExternal?: ReadExternal): OnnxTensor {
  const name = proto.name ?? '';
  const code = proto.dataType ?? 0;
  const datatype = toDatatype(code);
  if (datatype === undefined) {
    throw new UnsupportedGraphError(
      undefined,
      `tensor '${name}' has ONNX data type ${code}, which no ResNet needs`,
    );
  }
  const isExternal = proto.dataLocation === 1;
  if (isExternal && !readExternal) {
    throw new UnsupportedGraphError(
      undefined,
      `tensor '${name}' keeps its contents in another file; save the model as one file`,
    );
  }
  const shape = (proto.dims ?? []).map((size, i) => toSafeInteger(size, `tensor '${name}' dims[${i}]`));
  const expected = elementCount(shape);
  if (shape.some((size) => size < 0) || !Number.isSafeInteger(expected)) {
    throw new OnnxFormatError(`tensor '${name}' has shape [${shape}]`);
  }
  const data =
    isExternal && readExternal && expected > 0
      ? parseRawData(readExternal(toLocation(proto)), datatype, name)
      : parseContents(proto, datatype, name);
  if (data.length !== expected) {
    throw new OnnxFormatError(
      `tensor '${name}' of shape [${shape}] needs ${expected} elements, has ${data.length}`,
    );
  }
  return { datatype, shape, data } as OnnxTensor;
}

function toLocation({ name = '', externalData = [] }: TensorProto): ExternalLocation {
  const entries = new Map(externalData.map(({ key = '', value = '' }) => [key, value]));
  const toBytes = (key: string) => toSafeInteger(Number(entries.get(key)), `tensor '${name}' ${key}`);
  const file = entries.get('location');
  if (!file) throw new OnnxFormatError(`tensor '${name}' does not say which file holds it`);
  return {
    file,
    offset: entries.has('offset') ? toBytes('offset') : 0,
    length: entries.has('length') ? toBytes('length') : undefined,
  };
}

function parseContents(proto: TensorProto, datatype: Datatype, name: string): ArrayOf[Datatype] {
  return Object.hasOwn(proto, 'rawData') && proto.rawData !== undefined && proto.rawData.length > 0
    ? parseRawData(proto.rawData, datatype, name)
    : parseTypedFields(proto, datatype);
}

/** raw_data is little-endian, as is every platform Node runs on. */
function parseRawData(raw: Uint8Array, datatype: Datatype, name: string): ArrayOf[Datatype] {
  const ArrayType = arrayTypes[datatype];
  if (raw.length % ArrayType.BYTES_PER_ELEMENT !== 0) {
    throw new OnnxFormatError(`tensor '${name}' has ${raw.length} bytes, no multiple of its element size`);
  }
  // Not raw.slice(): on Node's Buffer that is a view, and perhaps an unaligned one.
  const copy = new Uint8Array(raw);
  return new ArrayType(copy.buffer, 0, copy.length / ArrayType.BYTES_PER_ELEMENT);
}

/** Where each type lies when not raw: small integers, bool and half floats share int32_data. */
function parseTypedFields(proto: TensorProto, datatype: Datatype): ArrayOf[Datatype] {
  switch (datatype) {
    case 'FP32':
      return Float32Array.from(proto.floatData ?? []);
    case 'FP64':
      return Float64Array.from(proto.doubleData ?? []);
    case 'INT64':
      return BigInt64Array.from((proto.int64Data ?? []).map((value) => BigInt(value.toString())));
    default:
      return arrayTypes[datatype].from(proto.int32Data ?? []);
  }
}

/** @returns The message, contents in raw_data and shared with `tensor`. */
export function toTensorProto(name: string, tensor: OnnxTensor): TensorProto {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return {
    name,
    dims: [...tensor.shape],
    dataType: datatypeCodes[tensor.datatype],
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

/**
 * @returns The contents as single precision; the tensor's own array if it has that type already.
 * @throws {OnnxFormatError} If the tensor holds integers.
 */
export function toFloat32(tensor: OnnxTensor, name: string): Float32Array {
  switch (tensor.datatype) {
    case 'FP32':
      return tensor.data;
    case 'FP64':
      return Float32Array.from(tensor.data);
    case 'FP16':
      return Float32Array.from(tensor.data, halfToNumber);
    default:
      throw new OnnxFormatError(`tensor '${name}' must hold floats, holds ${tensor.datatype}`);
  }
}

/**
 * @returns The contents as integers. INT64 extremes ("to the end" in Slice) lose their last digits.
 * @throws {OnnxFormatError} If the tensor holds floats.
 */
export function toIntegers(tensor: OnnxTensor, name: string): number[] {
  switch (tensor.datatype) {
    case 'FP32':
    case 'FP64':
    case 'FP16':
      throw new OnnxFormatError(`tensor '${name}' must hold integers, holds ${tensor.datatype}`);
    default:
      return Array.from(tensor.data, Number);
  }
}

/** @param bits IEEE 754 half precision. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export function fp32Tensor(shape: readonly number[], data: Float32Array): OnnxTensor {
  return { datatype: 'FP32', shape, data };
}

export function int64Tensor(values: readonly number[]): OnnxTensor {
  return { datatype: 'INT64', shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) };
}
