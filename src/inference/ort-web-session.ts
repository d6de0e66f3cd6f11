import type { OrtModule } from 'onnxruntime-web/ort-wasm-simd-threaded.mjs';
import { CodedError } from '../errors.ts';
import type { Fp32Tensor } from '../lib/tensor.ts';
import { assertSync, lastError, pointerBytes } from './ort-web-calls.ts';
import type { InferenceSession } from './session.ts';

/** ONNX TensorProto.DataType.FLOAT. */
const floatType = 1;
/** onnxruntime-web's DataLocation: the tensor's bytes are in the wasm heap. */
const cpuLocation = 1;
/** GraphOptimizationLevel ORT_DISABLE_ALL: an .ort file has been optimised when it was made. */
const noOptimization = 0;
const fatalOnly = 4;

/**
 * What keeps the heap near the size of the model. The file's bytes become the initializers
 * themselves, so they must stay allocated as long as the session lives: `release` frees them.
 */
const leanSessionConfig: Readonly<Record<string, string>> = {
  'session.use_ort_model_bytes_directly': '1',
  'session.use_ort_model_bytes_for_initializers': '1',
  'session.disable_prepacking': '1',
};

/** @param model address of the file's bytes in the heap. @returns ONNX Runtime's handle. */
export function openSession(ort: OrtModule, model: number, byteLength: number): number {
  const allocated: number[] = [];
  const toHeapString = (text: string): number => {
    const bytes = ort.lengthBytesUTF8(text) + 1;
    const pointer = ort._malloc(bytes);
    ort.stringToUTF8(text, pointer, bytes);
    allocated.push(pointer);
    return pointer;
  };
  const logId = toHeapString('resnet-edge');
  const options = ort._OrtCreateSessionOptions(
    noOptimization,
    false, // no arena: it keeps the peak of every run
    false, // no memory pattern: it plans on top of an arena
    0,
    false,
    0,
    logId,
    fatalOnly,
    0,
    0,
  );
  try {
    for (const [key, value] of Object.entries(leanSessionConfig)) {
      if (ort._OrtAddSessionConfigEntry(options, toHeapString(key), toHeapString(value)) !== 0) {
        throw lastError(ort, 'internal', `ONNX Runtime refused the option ${key}`);
      }
    }
    const handle = assertSync(ort._OrtCreateSession(model, byteLength, options));
    if (handle === 0) throw lastError(ort, 'model_corrupt', 'ONNX Runtime cannot load this model file');
    return handle;
  } finally {
    ort._OrtReleaseSessionOptions(options);
    for (const pointer of allocated) ort._free(pointer);
  }
}

export class OrtWebSession implements InferenceSession {
  readonly inputName: string;
  readonly outputName: string;
  readonly #ort: OrtModule;
  readonly #memory: WebAssembly.Memory;
  readonly #handle: number;
  readonly #model: number;
  /** Heap pointers of the names; `_OrtRun` takes these rather than strings. */
  readonly #names: { readonly all: readonly number[]; readonly input: number; readonly output: number };
  #released = false;

  constructor(ort: OrtModule, memory: WebAssembly.Memory, handle: number, model: number) {
    this.#ort = ort;
    this.#memory = memory;
    this.#handle = handle;
    this.#model = model;
    this.#names = readNames(ort, handle);
    this.inputName = ort.UTF8ToString(this.#names.input);
    this.outputName = ort.UTF8ToString(this.#names.output);
  }

  async run(input: Fp32Tensor): Promise<Fp32Tensor> {
    if (this.#released) throw new CodedError('inference_failed', 'The session has been released.');
    // No await below this line: the stack frame and the heap must not be shared with another run.
    return this.#runNow(input);
  }

  #runNow(input: Fp32Tensor): Fp32Tensor {
    const ort = this.#ort;
    const stack = ort.stackSave();
    const data = ort._malloc(input.data.byteLength);
    let inputTensor = 0;
    let outputTensor = 0;
    try {
      if (data === 0) throw new CodedError('model_out_of_memory', 'No room for the input tensor.');
      new Float32Array(this.#memory.buffer, data, input.data.length).set(input.data);
      const dims = ort.stackAlloc(input.shape.length * pointerBytes);
      for (const [index, size] of input.shape.entries()) {
        ort.setValue(dims + index * pointerBytes, size, 'i32');
      }
      inputTensor = ort._OrtCreateTensor(
        floatType,
        data,
        input.data.byteLength,
        dims,
        input.shape.length,
        cpuLocation,
      );
      if (inputTensor === 0) throw lastError(ort, 'inference_failed', 'ONNX Runtime refused the input');

      const slots = ort.stackAlloc(4 * pointerBytes);
      const [inputNames, inputs, outputNames, outputs] = [0, 1, 2, 3].map(
        (i) => slots + i * pointerBytes,
      ) as [number, number, number, number];
      ort.setValue(inputNames, this.#names.input, '*');
      ort.setValue(inputs, inputTensor, '*');
      ort.setValue(outputNames, this.#names.output, '*');
      ort.setValue(outputs, 0, '*');
      const code = assertSync(ort._OrtRun(this.#handle, inputNames, inputs, 1, outputNames, 1, outputs, 0));
      outputTensor = ort.getValue(outputs, '*');
      if (code !== 0) throw lastError(ort, 'inference_failed', 'The model did not run');
      return readTensor(ort, this.#memory, outputTensor);
    } finally {
      if (outputTensor !== 0) ort._OrtReleaseTensor(outputTensor);
      if (inputTensor !== 0) ort._OrtReleaseTensor(inputTensor);
      if (data !== 0) ort._free(data);
      ort.stackRestore(stack);
    }
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const name of this.#names.all) this.#ort._OrtFree(name);
    this.#ort._OrtReleaseSession(this.#handle);
    this.#ort._free(this.#model);
  }
}

function readNames(ort: OrtModule, handle: number) {
  const stack = ort.stackSave();
  try {
    const first = ort.stackAlloc(2 * pointerBytes);
    const second = first + pointerBytes;
    if (ort._OrtGetInputOutputCount(handle, first, second) !== 0) {
      throw lastError(ort, 'model_corrupt', 'The model lists no inputs');
    }
    const inputCount = ort.getValue(first, 'i32');
    const count = inputCount + ort.getValue(second, 'i32');
    const all: number[] = [];
    for (let index = 0; index < count; index++) {
      if (ort._OrtGetInputOutputMetadata(handle, index, first, second) !== 0) {
        throw lastError(ort, 'model_corrupt', `The model does not describe its value ${index}`);
      }
      all.push(ort.getValue(first, '*'));
      ort._OrtFree(ort.getValue(second, '*'));
    }
    const input = all[0];
    const output = all[inputCount];
    if (input === undefined || output === undefined || inputCount !== 1) {
      throw new CodedError(
        'model_corrupt',
        `A model must have one input and an output, got ${inputCount} inputs.`,
      );
    }
    return { all, input, output };
  } finally {
    ort.stackRestore(stack);
  }
}

function readTensor(ort: OrtModule, memory: WebAssembly.Memory, tensor: number): Fp32Tensor {
  const slots = ort.stackAlloc(4 * pointerBytes);
  const [type, data, dims, dimCount] = [0, 1, 2, 3].map((i) => slots + i * pointerBytes) as [
    number,
    number,
    number,
    number,
  ];
  if (ort._OrtGetTensorData(tensor, type, data, dims, dimCount) !== 0) {
    throw lastError(ort, 'inference_failed', 'The output cannot be read');
  }
  const dimsBase = ort.getValue(dims, '*');
  const datatype = ort.getValue(type, 'i32');
  const shape = Array.from({ length: ort.getValue(dimCount, 'i32') }, (_, index) =>
    ort.getValue(dimsBase + index * pointerBytes, 'i32'),
  );
  ort._OrtFree(dimsBase);
  if (datatype !== floatType) {
    throw new CodedError('inference_failed', `The model's output is not FP32 (ONNX datatype ${datatype}).`);
  }
  const length = shape.reduce((product, size) => product * size, 1);
  const view = new Float32Array(memory.buffer, ort.getValue(data, '*'), length);
  return { datatype: 'FP32', shape, data: new Float32Array(view) };
}
