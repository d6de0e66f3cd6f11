import type { KeepAlive } from '../model/session-cache.ts';
import type { Stage } from './classify.ts';

/** The circumstances of the request that asks. */
export interface ClassifyContext {
  readonly keepAlive: KeepAlive;
  /** Milliseconds since 1970; after that nobody wants the answer. */
  readonly deadline: number;
  readonly isCancelled: () => boolean;
  /** The key or address that sent the request. No caller may fill the whole queue. Default: unknown. */
  readonly caller?: string | undefined;
  /** Answers are remembered and shared only within one tenant. Default: all requests share one tenant. */
  readonly tenant?: string;
  /** False if answers are stored elsewhere, like those of a batch: then none is remembered. Default: true. */
  readonly remembers?: boolean;
  readonly onStage?: (stage: Stage) => Promise<void> | void;
}
