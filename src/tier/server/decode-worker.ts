import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
import type { ImageInfo } from '../../classify/classification.ts';
import { toModelInput } from '../../classify/classify.ts';
import { CodedError } from '../../errors.ts';
import { createHeicDecoder } from '../../image/codecs/heic/decode-heic.ts';
import { PixelRoutines } from '../../image/pixel-arena.ts';
import type { PreprocessSpec } from '../../image/preprocess-spec.ts';
import { maxTierHeicHeapBytes } from '../../limits.ts';
import { transcodeWithSharp } from './sharp-transcode.ts';
import type { WorkerAnswer } from './worker-pool.ts';

/** Bytes in, the model's input out: the very code of the edge, in a thread of its own. */
export interface DecodeJob {
  readonly bytes: Uint8Array;
  readonly spec: PreprocessSpec;
  readonly orientation: 'apply' | 'ignore';
  readonly strict: boolean;
}

export interface DecodedImage {
  readonly image: ImageInfo;
  /** FP32 (3, side, side). */
  readonly tensor: Float32Array<ArrayBuffer>;
  /** Microseconds that this thread took for decoding and preprocessing. */
  readonly decodeUs: number;
}

const { resolve } = createRequire(import.meta.url);
const routines = new PixelRoutines(
  new WebAssembly.Module(readFileSync(new URL('../../image/pixel-routines.wasm', import.meta.url))),
);
const modules = new Map<string, Promise<WebAssembly.Module>>();

/** Compiled when the first image needs it. */
function loadModule(path: string): Promise<WebAssembly.Module> {
  const module =
    modules.get(path) ?? readFile(path).then((bytes) => WebAssembly.compile(new Uint8Array(bytes)));
  modules.set(path, module);
  return module;
}

const loadWebpModule = () => loadModule(resolve('@jsquash/webp/codec/dec/webp_dec.wasm'));
const decodeHeic = createHeicDecoder(
  async () => ({
    libheif: await loadModule(resolve('libheif-js/libheif-wasm/libheif.wasm')),
    flushHook: await loadModule(
      fileURLToPath(new URL('../../image/codecs/heic/flush-hook.wasm', import.meta.url)),
    ),
  }),
  maxTierHeicHeapBytes,
);

parentPort!.on('message', async ({ bytes, spec, orientation, strict }: DecodeJob) => {
  let answer: WorkerAnswer<DecodedImage>;
  const transfer: ArrayBuffer[] = [];
  const started = performance.now();
  try {
    const { image, input } = await toModelInput(bytes, spec, {
      image: { loadWebpModule, decodeHeic, orientation, strict, routines },
      transcode: transcodeWithSharp,
    });
    const tensor = input.data as Float32Array<ArrayBuffer>;
    transfer.push(tensor.buffer);
    answer = { value: { image, tensor, decodeUs: Math.round((performance.now() - started) * 1000) } };
  } catch (error) {
    const { code, message } =
      error instanceof CodedError ? error : { code: 'internal' as const, message: String(error) };
    answer = { error: { code, message } };
  }
  parentPort!.postMessage(answer, transfer);
});
