import { type NativeTensor, runOnce } from '../../inference/ort-node.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxModel } from '../onnx/onnx-graph.ts';
import { serialiseModel } from '../onnx/onnx-model.ts';
import { type Datatype, type OnnxTensor, toDatatype } from '../onnx/onnx-tensor.ts';

/** ONNX Runtime's names of the types that a graph of ours has. */
const nativeTypes = {
  FP32: 'float32',
  UINT8: 'uint8',
  INT8: 'int8',
  INT32: 'int32',
  INT64: 'int64',
  BOOL: 'bool',
  FP16: 'float16',
  FP64: 'float64',
} as const satisfies Record<Datatype, NativeTensor['type']>;

/**
 * Runs a graph once on onnxruntime-node, which is the reference for what it computes.
 *
 * @throws {UnsupportedGraphError} saying what ONNX Runtime says.
 */
export async function runGraph(
  model: OnnxModel,
  graph: OnnxGraph,
  feeds: ReadonlyMap<string, OnnxTensor>,
): Promise<Map<string, OnnxTensor>> {
  const native = new Map(Array.from(feeds, ([name, tensor]) => [name, toNative(tensor)]));
  const bytes = serialiseModel({ ...model, irVersion: Math.max(model.irVersion, oldestIr), graph });
  const results = await runOnce(bytes, native).catch((cause: unknown) => {
    throw new UnsupportedGraphError(undefined, `ONNX Runtime cannot run the graph: ${firstLine(cause)}`);
  });
  return new Map(Array.from(results, ([name, tensor]) => [name, fromNative(name, tensor)]));
}

/** Before IR version 4 every initializer had to be listed as an input too; parseModel takes those out. */
const oldestIr = 4;

function toNative({ datatype, shape, data }: OnnxTensor): NativeTensor {
  return { type: nativeTypes[datatype], shape, data };
}

function fromNative(name: string, { type, shape, data }: NativeTensor): OnnxTensor {
  const datatype = (Object.keys(nativeTypes) as Datatype[]).find((key) => nativeTypes[key] === type);
  if (datatype === undefined || Array.isArray(data)) {
    throw new UnsupportedGraphError(undefined, `'${name}' holds ${type}, which no classifier needs`);
  }
  // ONNX Runtime gives half floats as an array of their own; here they are bits.
  const contents = datatype === 'FP16' ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
  return { datatype, shape: [...shape], data: contents } as OnnxTensor;
}

function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split('\n')[0] ?? '';
}

/** @returns noise of a tensor's type: whole numbers of 0 to 255, or floats of 0 to `top`. */
export function toNoise(elementType: number, shape: readonly number[], top: number): OnnxTensor {
  const length = shape.reduce((product, size) => product * size, 1);
  // A linear congruential generator: the same noise on every machine.
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  switch (toDatatype(elementType)) {
    case 'FP32':
      return { datatype: 'FP32', shape, data: Float32Array.from({ length }, () => next() * top) };
    case 'FP64':
      return { datatype: 'FP64', shape, data: Float64Array.from({ length }, () => next() * top) };
    case 'UINT8':
      return { datatype: 'UINT8', shape, data: Uint8Array.from({ length }, () => next() * 256) };
    case 'FP16':
      return { datatype: 'FP16', shape, data: Uint16Array.from({ length }, () => toHalf(next() * top)) };
    default:
      throw new UnsupportedGraphError(
        undefined,
        'the input must hold floats or bytes (FP32, FP16, FP64, UINT8)',
      );
  }
}

/** Bits of a half float of 0 to 65,504, rounded down. */
function toHalf(value: number): number {
  if (value < 2 ** -14) return Math.floor(value * 2 ** 24);
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.floor((value / 2 ** exponent - 1) * 1024);
}
