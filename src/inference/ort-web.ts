import createOrtModule, { type OrtModule } from 'onnxruntime-web/ort-wasm-simd-threaded.mjs';
import { CodedError } from '../errors.ts';
import { lastError } from './ort-web-calls.ts';
import { OrtWebSession, openSession } from './ort-web-session.ts';
import type { InferenceRuntime, LoadTicket } from './session.ts';

const warningsAndErrors = 2;

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
  if (ort._OrtInit(1, warningsAndErrors) !== 0)
    throw lastError(ort, 'internal', 'ONNX Runtime did not start');

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
