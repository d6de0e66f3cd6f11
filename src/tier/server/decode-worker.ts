import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import type { ImageInfo } from '../../classify/classification.ts';
import { toModelInput } from '../../classify/classify.ts';
import { CodedError } from '../../errors.ts';
import { PixelRoutines } from '../../image/pixel-arena.ts';
import type { PreprocessSpec } from '../../image/preprocess-spec.ts';
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

const webpPath = createRequire(import.meta.url).resolve('@jsquash/webp/codec/dec/webp_dec.wasm');
const routines = new PixelRoutines(
  new WebAssembly.Module(readFileSync(new URL('../../image/pixel-routines.wasm', import.meta.url))),
);
let webpModule: Promise<WebAssembly.Module> | undefined;

async function loadWebpModule(): Promise<WebAssembly.Module> {
  webpModule ??= readFile(webpPath).then((bytes) => WebAssembly.compile(bytes));
  return await webpModule;
}

parentPort!.on('message', async ({ bytes, spec, orientation, strict }: DecodeJob) => {
  let answer: WorkerAnswer<DecodedImage>;
  const transfer: ArrayBuffer[] = [];
  const started = performance.now();
  try {
    const { image, input } = await toModelInput(bytes, spec, {
      image: { loadWebpModule, orientation, strict, routines },
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
