import createOrtModule, { type OrtModule } from 'onnxruntime-web/ort-wasm-simd-threaded.mjs';
import { CodedError } from '../errors.ts';
import type { Fp32Tensor } from '../tensor.ts';
import type { InferenceRuntime, InferenceSession, LoadTicket } from './session.ts';

const POINTER_BYTES = 4;
/** ONNX TensorProto.DataType.FLOAT. */
const FLOAT = 1;
/** onnxruntime-web's DataLocation: the tensor's bytes are in the wasm heap. */
const LOCATION_CPU = 1;
/** GraphOptimizationLevel ORT_DISABLE_ALL: an .ort file has been optimised when it was made. */
const OPTIMIZATION_NONE = 0;
const LOG_WARNING = 2;
const LOG_FATAL = 4;

/**
 * What keeps the heap near the size of the model. The file's bytes become the initializers
 * themselves, so they must stay allocated as long as the session lives: `release` frees them.
 */
const LEAN_SESSION_CONFIG: Readonly<Record<string, string>> = {
  'session.use_ort_model_bytes_directly': '1',
  'session.use_ort_model_bytes_for_initializers': '1',
  'session.disable_prepacking': '1',
};

/**
 * onnxruntime-web's WASM SIMD backend, driven through its emscripten glue instead of its public
 * front end: workerd compiles no WebAssembly from bytes (the module has to be imported), and only
 * this way do model bytes stream into the heap without a second copy in JavaScript.
 *
 * Every call into the module is synchronous, from `_malloc` to `_OrtRun`, so two runs can never
 * interleave and no queue is needed.
 *
 * @param wasm the compiled `onnxruntime-web/ort-wasm-simd-threaded.wasm`.
 * @see https://github.com/microsoft/onnxruntime/blob/main/js/web/lib/wasm/wasm-core-impl.ts for
 *   how the package's own front end uses the same functions.
 */
export async function bootOrtWeb(wasm: WebAssembly.Module): Promise<InferenceRuntime> {
  const { ort, memory } = await instantiate(wasm);
  if (ort._OrtInit(1, LOG_WARNING) !== 0) throw lastError(ort, 'internal', 'ONNX Runtime did not start');

  return {
    name: 'onnxruntime-web',
    memoryBytes: () => memory.buffer.byteLength,
    async createSession(chunks, { fileBytes, runtimeMemoryBytes = 0 }, ticket) {
      reserve(memory, runtimeMemoryBytes);
      const model = await copyToHeap(ort, memory, chunks, fileBytes, ticket);
      try {
        const handle = openSession(ort, model, fileBytes);
        return new OrtWebSession(ort, memory, handle, model);
      } catch (error) {
        ort._free(model);
        throw error;
      }
    },
  };
}

async function instantiate(
  wasm: WebAssembly.Module,
): Promise<{ ort: OrtModule; memory: WebAssembly.Memory }> {
  let memory: WebAssembly.Memory | undefined;
  // The glue takes its Node branch (fs, worker_threads) if it sees Node's version and no renderer.
  const nodeProcess = (globalThis as { process?: { type?: string } }).process;
  const previousType = nodeProcess?.type;
  if (nodeProcess) nodeProcess.type = 'renderer';
  try {
    const ort = await createOrtModule({
      numThreads: 1,
      instantiateWasm(imports, done) {
        memory = Object.values(imports['a'] ?? {}).find((value) => value instanceof WebAssembly.Memory);
        const instance = new WebAssembly.Instance(wasm, imports);
        done(instance, wasm);
        return instance.exports;
      },
    });
    if (!memory) throw new CodedError('internal', 'onnxruntime-web imports no memory: another version?');
    return { ort, memory };
  } finally {
    if (nodeProcess) {
      if (previousType === undefined) delete nodeProcess.type;
      else nodeProcess.type = previousType;
    }
  }
}

const wasmPageBytes = 65_536;

/** Grows the heap to `bytes` at once; malloc finds the room there later. */
function reserve(memory: WebAssembly.Memory, bytes: number): void {
  const pages = Math.ceil((bytes - memory.buffer.byteLength) / wasmPageBytes);
  if (pages <= 0) return;
  try {
    memory.grow(pages);
  } catch (cause) {
    throw new CodedError('model_out_of_memory', `No room for ${bytes} bytes of linear memory.`, { cause });
  }
}

async function copyToHeap(
  ort: OrtModule,
  memory: WebAssembly.Memory,
  chunks: AsyncIterable<Uint8Array>,
  byteLength: number,
  ticket: LoadTicket,
): Promise<number> {
  const base = ort._malloc(byteLength);
  if (base === 0) {
    throw new CodedError('model_out_of_memory', `No room for a model of ${byteLength} bytes.`);
  }
  let freed = false;
  ticket.free = () => {
    if (!freed) ort._free(base);
    freed = true;
  };
  try {
    let written = 0;
    for await (const chunk of chunks) {
      if (ticket.abandoned) throw new CodedError('model_unavailable', 'The model load was given up.');
      if (written + chunk.byteLength > byteLength) {
        throw new CodedError('model_corrupt', `The model file is longer than ${byteLength} bytes.`);
      }
      new Uint8Array(memory.buffer, base + written, chunk.byteLength).set(chunk);
      written += chunk.byteLength;
    }
    if (ticket.abandoned) throw new CodedError('model_unavailable', 'The model load was given up.');
    if (written !== byteLength) {
      throw new CodedError('model_corrupt', `The model file ended after ${written} of ${byteLength} bytes.`);
    }
    return base;
  } catch (error) {
    ticket.free();
    throw error;
  } finally {
    delete ticket.free;
  }
}

function openSession(ort: OrtModule, model: number, byteLength: number): number {
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
    OPTIMIZATION_NONE,
    false, // no arena: it keeps the peak of every run
    false, // no memory pattern: it plans on top of an arena
    0,
    false,
    0,
    logId,
    LOG_FATAL,
    0,
    0,
  );
  try {
    for (const [key, value] of Object.entries(LEAN_SESSION_CONFIG)) {
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

class OrtWebSession implements InferenceSession {
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
      const dims = ort.stackAlloc(input.shape.length * POINTER_BYTES);
      for (const [index, size] of input.shape.entries()) {
        ort.setValue(dims + index * POINTER_BYTES, size, 'i32');
      }
      inputTensor = ort._OrtCreateTensor(
        FLOAT,
        data,
        input.data.byteLength,
        dims,
        input.shape.length,
        LOCATION_CPU,
      );
      if (inputTensor === 0) throw lastError(ort, 'inference_failed', 'ONNX Runtime refused the input');

      const slots = ort.stackAlloc(4 * POINTER_BYTES);
      const [inputNames, inputs, outputNames, outputs] = [0, 1, 2, 3].map(
        (i) => slots + i * POINTER_BYTES,
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
    const first = ort.stackAlloc(2 * POINTER_BYTES);
    const second = first + POINTER_BYTES;
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
  const slots = ort.stackAlloc(4 * POINTER_BYTES);
  const [type, data, dims, dimCount] = [0, 1, 2, 3].map((i) => slots + i * POINTER_BYTES) as [
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
    ort.getValue(dimsBase + index * POINTER_BYTES, 'i32'),
  );
  ort._OrtFree(dimsBase);
  if (datatype !== FLOAT) {
    throw new CodedError('inference_failed', `The model's output is not FP32 (ONNX datatype ${datatype}).`);
  }
  const length = shape.reduce((product, size) => product * size, 1);
  const view = new Float32Array(memory.buffer, ort.getValue(data, '*'), length);
  return { datatype: 'FP32', shape, data: new Float32Array(view) };
}

/** The single-threaded build answers synchronously; a promise would break the no-interleaving promise above. */
function assertSync(value: number | Promise<number>): number {
  if (typeof value !== 'number') {
    throw new CodedError('internal', 'onnxruntime-web answered asynchronously: another build?');
  }
  return value;
}

function lastError(
  ort: OrtModule,
  code: 'internal' | 'model_corrupt' | 'inference_failed',
  message: string,
): CodedError {
  const stack = ort.stackSave();
  const slots = ort.stackAlloc(2 * POINTER_BYTES);
  ort._OrtGetLastError(slots, slots + POINTER_BYTES);
  const detail = ort.UTF8ToString(ort.getValue(slots + POINTER_BYTES, '*'));
  ort.stackRestore(stack);
  return new CodedError(code, `${message}.`, { cause: new Error(detail) });
}
