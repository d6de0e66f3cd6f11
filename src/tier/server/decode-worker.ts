import { parentPort } from 'node:worker_threads';
import type { ImageInfo } from '../../classify/classification.ts';
import { toModelInput } from '../../classify/classify.ts';
import { CodedError } from '../../errors.ts';
import { openDecoders } from '../../image/decoders-node.ts';
import type { PreprocessSpec } from '../../image/preprocess-spec.ts';
import { maxTierHeicHeapBytes } from '../../limits.ts';
import { transcodeWithSharp } from './sharp-transcode.ts';
import type { WorkerAnswer } from './worker-pool.ts';

/** Bytes in, the model's input out: the same code as on the edge, in a thread of its own. */
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

// AVIF goes through sharp, which is not limited to an isolate's memory.
const { routines, loadWebpModule, decodeHeic } = openDecoders(maxTierHeicHeapBytes);

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
