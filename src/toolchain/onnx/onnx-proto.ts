import protobuf from 'protobufjs';
import { OnnxFormatError } from './onnx-errors.ts';
import { onnxSchema } from './onnx-schema.ts';

/** A 64-bit field: protobufjs reads it as a Long, and writes a Long or a safe integer. */
export type Int64 = number | { toNumber(): number };

export interface ModelProto {
  irVersion?: Int64;
  producerName?: string;
  producerVersion?: string;
  graph?: GraphProto;
  opsetImport?: OperatorSetIdProto[];
  metadataProps?: StringStringEntryProto[];
  trainingInfo?: Uint8Array[];
  functions?: Uint8Array[];
}

export interface OperatorSetIdProto {
  domain?: string;
  version?: Int64;
}

export interface StringStringEntryProto {
  key?: string;
  value?: string;
}

export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  valueInfo?: ValueInfoProto[];
  sparseInitializer?: Uint8Array[];
}

export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: AttributeProto[];
  domain?: string;
}

export interface AttributeProto {
  name?: string;
  f?: number;
  i?: Int64;
  s?: Uint8Array;
  t?: TensorProto;
  g?: Uint8Array;
  floats?: number[];
  ints?: Int64[];
  strings?: Uint8Array[];
  tensors?: Uint8Array[];
  graphs?: Uint8Array[];
  type?: number;
  refAttrName?: string;
}

export interface TensorProto {
  dims?: Int64[];
  dataType?: number;
  segment?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: Int64[];
  name?: string;
  rawData?: Uint8Array;
  doubleData?: number[];
  externalData?: StringStringEntryProto[];
  dataLocation?: number;
}

export interface ValueInfoProto {
  name?: string;
  type?: TypeProto;
}

export interface TypeProto {
  tensorType?: { elemType?: number; shape?: { dim?: DimensionProto[] } };
}

export interface DimensionProto {
  dimValue?: Int64;
  dimParam?: string;
}

const modelType = protobuf.Root.fromJSON(onnxSchema).lookupType('onnx.ModelProto');

/**
 * @param bytes a serialised ModelProto. Tensor contents stay views into it, so it must not be reused.
 * @returns The message as it stands on the wire; fields outside the schema subset are kept and written
 *   back by `encodeModelProto`.
 * @throws {OnnxFormatError} If the bytes are not a ModelProto with a graph.
 */
export function decodeModelProto(bytes: Uint8Array): ModelProto {
  let message: ModelProto;
  try {
    const reader = protobuf.Reader.create(bytes);
    reader.discardUnknown = false;
    // protobufjs types what a schema made at run time decodes as Message; its fields are those of onnx-schema.ts.
    message = modelType.decode(reader) as unknown as ModelProto;
  } catch (cause) {
    throw new OnnxFormatError('not an ONNX model: the bytes are not a readable ModelProto', { cause });
  }
  // Protobuf has no magic number: random bytes can decode to an empty message.
  if (!Object.hasOwn(message, 'graph') || message.graph === undefined) {
    throw new OnnxFormatError('not an ONNX model: no graph');
  }
  return message;
}

/** @returns The serialised message, in field-number order. */
export function encodeModelProto(model: ModelProto): Uint8Array {
  // In Node protobufjs yields a Buffer, whose methods differ from Uint8Array's.
  // And it takes any object with string keys, which an interface is not by its type.
  const { buffer, byteOffset, length } = modelType
    .encode(model as unknown as Record<string, unknown>)
    .finish();
  return new Uint8Array(buffer, byteOffset, length);
}

/** @throws {OnnxFormatError} If the value is beyond what a JavaScript number holds exactly. */
export function toSafeInteger(value: Int64, what: string): number {
  const number = typeof value === 'number' ? value : value.toNumber();
  if (!Number.isSafeInteger(number))
    throw new OnnxFormatError(`${what} must be a safe integer, got: ${number}`);
  return number;
}
