import { parentPort, workerData } from 'node:worker_threads';
import { bootEngineNode } from '../../inference/engine-node.ts';
import { createOrtNodeSession, type OrtNodeSession } from '../../inference/ort-node.ts';
import type { InferenceSession } from '../../inference/session.ts';
import type { FileKind } from '../../model/manifest.ts';
import type { WorkerAnswer } from './worker-pool.ts';

/**
 * One instance of one model. It is a thread, because onnxruntime-node computes on the calling thread, and the tier's main
 * thread has to answer requests.
 */
export interface InferenceWorkerData {
  readonly model: SharedArrayBuffer;
  /** FP32 (batch, 3, side, side) each. The tier writes a batch to a slot before it sends the slot's number. */
  readonly slots: readonly SharedArrayBuffer[];
  readonly kind: FileKind;
  /** Whether to output the features of all blocks instead of the classes. */
  readonly wantsFeatures: boolean;
  readonly inputName: string;
  readonly outputName: string;
  readonly side: number;
  readonly executionProviders: readonly string[];
  readonly threads: number;
}

/** Runs the first `count` images of a slot. With 0 images it only asks what the instance is. */
export interface InferenceJob {
  readonly slot: number;
  readonly count: number;
}

export interface InferenceAnswer {
  /** FP32 (count, classes), or (count, features). */
  readonly outputs: Float32Array<ArrayBuffer>;
  readonly computeUs: number;
  /** Whether the graph takes more than one image at once. */
  readonly batches: boolean;
}

interface Instance {
  readonly batches: boolean;
  run(data: Float32Array, count: number): Promise<Float32Array>;
}

const { model, slots, kind, wantsFeatures, inputName, outputName, side, executionProviders, threads } =
  workerData as InferenceWorkerData;
const imageSize = 3 * side * side;
let loading: Promise<Instance> | undefined;

async function load(): Promise<Instance> {
  return kind === 'rni8' ? fromEngine(await loadEngine()) : fromOrt(await loadOrt());
}

async function loadOrt(): Promise<OrtNodeSession> {
  return await createOrtNodeSession(new Uint8Array(model).slice(), {
    executionProviders,
    intraOpNumThreads: threads,
    // Waiting threads would spin on cores that decode and answer. Without spinning it is as fast alone, and faster with
    // other work (measured).
    allowSpinning: false,
  });
}

async function loadEngine(): Promise<InferenceSession> {
  const runtime = await bootEngineNode('auto');
  const bytes = new Uint8Array(model).slice();
  const chunks = (async function* () {
    yield bytes;
  })();
  return await runtime.createSession(chunks, { fileBytes: bytes.byteLength }, { abandoned: false });
}

function fromOrt(session: OrtNodeSession): Instance {
  return {
    batches: session.takesBatches,
    async run(data, count) {
      const feeds = new Map([
        [inputName, { datatype: 'FP32', shape: [count, 3, side, side], data } as const],
      ]);
      return (await session.run(feeds)).get(outputName)!.data;
    },
  };
}

/** The engine takes one image at a time, so there are as many instances as cores. */
function fromEngine(session: InferenceSession): Instance {
  return {
    batches: false,
    async run(data) {
      const input = { datatype: 'FP32', shape: [1, 3, side, side], data } as const;
      if (!wantsFeatures) return (await session.run(input)).data;
      const { features } = await session.runWithFeatures!(input, 'all');
      const all = new Float32Array(features.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const block of features) {
        all.set(block, at);
        at += block.length;
      }
      return all;
    },
  };
}

async function work({ slot, count }: InferenceJob): Promise<void> {
  let answer: WorkerAnswer<InferenceAnswer>;
  const transfer: ArrayBuffer[] = [];
  try {
    loading ??= load();
    const instance = await loading;
    const started = performance.now();
    const output =
      count === 0
        ? await instance.run(new Float32Array(imageSize), 1)
        : await instance.run(new Float32Array(slots[slot]!, 0, count * imageSize), count);
    // A copy, because the runtime's own memory cannot be transferred to another thread.
    const outputs = new Float32Array(output);
    transfer.push(outputs.buffer);
    const computeUs = Math.round((performance.now() - started) * 1000);
    answer = { value: { outputs, computeUs, batches: instance.batches } };
  } catch (error) {
    loading = undefined;
    answer = {
      error: { code: 'inference_failed', message: error instanceof Error ? error.message : String(error) },
    };
  }
  parentPort!.postMessage(answer, transfer);
}

// Jobs run one after the other: a session runs one batch at a time, and answers keep the order of the jobs.
let tail = Promise.resolve();
parentPort!.on('message', (job: InferenceJob) => {
  tail = tail.then(() => work(job));
});
