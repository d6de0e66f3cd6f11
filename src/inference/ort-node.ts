import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Fp32Tensor } from '../lib/tensor.ts';

/**
 * The only file that imports onnxruntime-node: calibration, compilation and the Node tier go through it.
 * FP32 in, FP32 out; a graph's other outputs cannot be fetched through it.
 */
export interface OrtNodeSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Whether the first dimension of the first input is free, so that images can be run together. */
  readonly takesBatches: boolean;
  /**
   * @param feeds one tensor per input name.
   * @returns All outputs by name, in the order of `outputNames`.
   * @throws {TypeError} If an output does not hold FP32.
   * @throws {Error} ONNX Runtime's own, if the feeds do not fit the graph.
   */
  run(feeds: ReadonlyMap<string, Fp32Tensor>): Promise<Map<string, Fp32Tensor>>;
  /** Frees the native session; it must not be used afterwards. */
  close(): Promise<void>;
}

export interface OrtNodeOptions {
  /** In order of preference, e.g. `['cuda', 'cpu']`. Default: `['cpu']`. */
  readonly executionProviders?: readonly string[];
  /** Threads inside one operator; default: ONNX Runtime's choice, one per core. */
  readonly intraOpNumThreads?: number;
  /** Whether threads that wait for work keep their core busy; default: ONNX Runtime's choice, they do. */
  readonly allowSpinning?: boolean;
  /** 'extended' fuses without choosing CPU-specific layouts; 'all' (default) may. */
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Where ONNX Runtime is to save the graph it optimised, and as what. */
  readonly saveOptimized?: { readonly path: string; readonly format: 'ONNX' | 'ORT' };
}

/**
 * @param model path of a `.onnx` or `.ort` file, or its bytes.
 * @throws {Error} ONNX Runtime's own, if it cannot read the model or write the optimised one.
 */
export async function createOrtNodeSession(
  model: string | Uint8Array,
  options: OrtNodeOptions = {},
): Promise<OrtNodeSession> {
  const { saveOptimized, allowSpinning } = options;
  const sessionEntries = {
    ...(allowSpinning === undefined ? {} : { intra_op: { allow_spinning: allowSpinning ? '1' : '0' } }),
    // On x86 without VNNI the default product of U8 and S8 adds pairs in 16 bits and saturates: other logits than on
    // every other CPU. '1' takes a product that is exact there, and changes nothing elsewhere. A saved graph must not
    // depend on the machine that saved it.
    ...(saveOptimized === undefined
      ? { x64quantprecision: '1' }
      : { save_model_format: saveOptimized.format }),
  };
  const sessionOptions: InferenceSession.SessionOptions = {
    executionProviders: options.executionProviders ?? ['cpu'],
    graphOptimizationLevel: options.graphOptimizationLevel ?? 'all',
    // Warnings (such as "the saved graph is for this machine only") are known and not for the user.
    logSeverityLevel: 3,
    ...(options.intraOpNumThreads === undefined ? {} : { intraOpNumThreads: options.intraOpNumThreads }),
    ...(saveOptimized === undefined ? {} : { optimizedModelFilePath: saveOptimized.path }),
    extra: { session: sessionEntries },
  };
  const session =
    typeof model === 'string'
      ? await InferenceSession.create(model, sessionOptions)
      : await InferenceSession.create(model, sessionOptions);
  const [input] = session.inputMetadata;
  return {
    takesBatches: input?.isTensor === true && typeof input.shape[0] === 'string',
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds) {
      const native: Record<string, Tensor> = {};
      for (const [name, tensor] of feeds) native[name] = new Tensor('float32', tensor.data, tensor.shape);
      const results = await session.run(native);
      return new Map(session.outputNames.map((name) => [name, toFp32Tensor(name, results[name])]));
    },
    close: () => session.release(),
  };
}

function toFp32Tensor(name: string, value: Tensor | undefined): Fp32Tensor {
  if (value === undefined || !(value.data instanceof Float32Array)) {
    throw new TypeError(`output '${name}' must be float32, is ${value?.type ?? 'missing'}`);
  }
  return { datatype: 'FP32', shape: value.dims, data: value.data };
}

/** A tensor of any type that ONNX Runtime's JavaScript knows; half precision as bits or as Float16Array. */
export interface NativeTensor {
  /** ONNX Runtime's name of the type, e.g. `float32`. */
  readonly type: Tensor.Type;
  readonly shape: readonly number[];
  readonly data: Tensor.DataType;
}

/**
 * Runs a model once, whatever the types of its inputs and outputs, without optimising it first.
 *
 * @throws {Error} ONNX Runtime's own, if it cannot read or run the model.
 */
export async function runOnce(
  model: Uint8Array,
  feeds: ReadonlyMap<string, NativeTensor>,
): Promise<Map<string, NativeTensor>> {
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'basic',
    logSeverityLevel: 4,
    extra: { session: { x64quantprecision: '1' } },
  });
  try {
    const native: Record<string, Tensor> = {};
    for (const [name, { type, data, shape }] of feeds) native[name] = new Tensor(type, data, shape);
    const results = await session.run(native);
    return new Map(
      session.outputNames.map((name) => {
        const { type, dims, data } = results[name]!;
        return [name, { type, shape: dims, data }];
      }),
    );
  } finally {
    await session.release();
  }
}
