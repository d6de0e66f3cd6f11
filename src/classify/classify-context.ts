import type { KeepAlive } from '../model/session-cache.ts';
import type { Stage } from './classify.ts';

/** The circumstances of the request that asks. */
export interface ClassifyContext {
  readonly keepAlive: KeepAlive;
  /** Milliseconds since 1970 at which the answer is no longer wanted. */
  readonly deadline: number;
  readonly isCancelled: () => boolean;
  /** Whose request it is, a key or an address: nobody may fill the whole queue. Default: nobody's. */
  readonly caller?: string | undefined;
  /** Who asks. Answers are remembered for and shared with the same one alone. Default: one for all. */
  readonly tenant?: string;
  /** False where answers are kept elsewhere, as a batch's are: then none is remembered. Default: true. */
  readonly remembers?: boolean;
  readonly onStage?: (stage: Stage) => Promise<void> | void;
}
