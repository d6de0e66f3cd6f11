import type { Fp32Tensor } from '../lib/tensor.ts';

/** Whose features are asked for: the last block's, or every block's. */
export type FeatureLayers = 'last' | 'all';

export interface ModelOutput extends Fp32Tensor {
  /** Of a head: how much the input looks like what it has learned from, 0 to 1. */
  readonly similarity?: number;
}

export interface RunWithFeatures {
  readonly output: ModelOutput;
  /** FP32, one array a block and one value a channel, first block first: the mean over its output's positions. */
  readonly features: readonly Float32Array[];
}

/** A loaded model, ready to run. One `run` at a time: a caller need not queue, see each adapter. */
export interface InferenceSession {
  /** Name of the graph's first input and first output. */
  readonly inputName: string;
  readonly outputName: string;
  /** Bytes of linear memory that are this session's alone; undefined where sessions share one heap. */
  readonly memoryBytes?: number;
  /**
   * @param input shape and range as the model's manifest says; not kept after the call.
   * @returns the first output, a copy that the caller owns.
   * @throws {CodedError} `inference_failed` if the runtime refuses the input or the graph fails.
   */
  run(input: Fp32Tensor): Promise<ModelOutput>;
  /**
   * As `run`, and the blocks' features beside the output; costs about a millisecond more. Absent where the runtime gives
   * none.
   */
  runWithFeatures?(input: Fp32Tensor, layers: FeatureLayers): Promise<RunWithFeatures>;
  /** Frees what the session holds. Idempotent; `run` must not be called afterwards. */
  release(): void;
}

/** A load that may be given up from outside, so that a dead request cannot keep memory for ever. */
export interface LoadTicket {
  /** Set by the caller that gives the load up; checked before every write. */
  abandoned: boolean;
  /** Frees what the load holds so far. Set by the runtime, called when the load is abandoned. */
  free?: () => void;
}

export interface ModelSize {
  readonly fileBytes: number;
  readonly runtimeMemoryBytes?: number | undefined;
}

export interface InferenceRuntime {
  readonly name: string;
  /** Which of its kernel sets runs, if it has several. */
  readonly kernels?: string;
  /**
   * Reads the model into the runtime's own memory, chunk by chunk, and makes a session of it.
   *
   * @param chunks the file's bytes; expected to throw rather than end early or carry a wrong hash.
   * @param size exact length of the file, and how much linear memory the model is known to need: taken
   *   in one step, it is not overshot by the allocator's growth in steps of a fifth.
   * @throws whatever `chunks` throws; {CodedError} `model_out_of_memory`, `model_corrupt`.
   */
  createSession(
    chunks: AsyncIterable<Uint8Array>,
    size: ModelSize,
    ticket: LoadTicket,
  ): Promise<InferenceSession>;
  /** Bytes of linear memory taken from the isolate; a heap that sessions share never shrinks. */
  memoryBytes(): number;
}
