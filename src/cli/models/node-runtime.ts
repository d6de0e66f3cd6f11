import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parseKernelChoice } from '../../engine/choose-kernels.ts';
import { bootEngineNode } from '../../inference/engine-node.ts';
import { bootOrtWeb } from '../../inference/ort-web.ts';
import type { InferenceRuntime, InferenceSession } from '../../inference/session.ts';
import type { RuntimeName } from '../../model/manifest.ts';

let compiled: Promise<WebAssembly.Module> | undefined;

/** An edge runtime, in this process: the same WebAssembly through the same adapter. */
export async function bootEdgeRuntime(name: RuntimeName): Promise<InferenceRuntime> {
  if (name === 'resnet-int8') return await bootEngineNode(parseKernelChoice(process.env['ENGINE_KERNELS']));
  const path = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
  compiled ??= readFile(path).then((bytes) => WebAssembly.compile(bytes));
  return await bootOrtWeb(await compiled);
}

export async function loadFile(
  runtime: InferenceRuntime,
  path: string,
  runtimeMemoryBytes?: number,
): Promise<InferenceSession> {
  const fileBytes = (await stat(path)).size;
  return await runtime.createSession(
    createReadStream(path),
    { fileBytes, runtimeMemoryBytes },
    { abandoned: false },
  );
}

const MiB = 1024 * 1024;

/**
 * Linear memory a model of onnxruntime-web needs when it is alone: the smallest reservation, in whole MiB, that neither
 * loading, running nor loading again grows. Without one the allocator overshoots by up to a fifth.
 *
 * @param side height and width of the model's input.
 */
export async function measureRuntimeMemory(path: string, side: number): Promise<number> {
  const grown = await memoryAfterRun(path, side, 0);
  let fits = Math.ceil(grown / MiB);
  let tooSmall = Math.floor((await stat(path)).size / MiB);
  while (fits - tooSmall > 1) {
    const middle = (fits + tooSmall) >> 1;
    if ((await memoryAfterRun(path, side, middle * MiB)) <= middle * MiB) fits = middle;
    else tooSmall = middle;
  }
  return fits * MiB;
}

/** Loads twice: what an isolate needs to switch back to a model is a little more than the first load. */
async function memoryAfterRun(path: string, side: number, reserve: number): Promise<number> {
  const runtime = await bootEdgeRuntime('onnxruntime-web');
  const input = {
    datatype: 'FP32',
    shape: [1, 3, side, side],
    data: new Float32Array(3 * side * side),
  } as const;
  for (let load = 0; load < 2; load++) {
    const session = await loadFile(runtime, path, reserve);
    for (let run = 0; run < 2; run++) await session.run(input);
    session.release();
  }
  return runtime.memoryBytes();
}
