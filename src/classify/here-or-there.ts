import { CodedError, type ErrorCode } from '../errors.ts';
import { beyondThisDecoder } from './classify.ts';
import type { Delegate } from './delegate.ts';

export interface Delegation {
  /** Runs what is too large for this isolate. Without a delegate that is refused. */
  readonly delegate?: Delegate | undefined;
  /** Called for each piece of work that was delegated: with the reason, and the outcome. */
  readonly onDelegated?: (reason: ErrorCode, outcome: 'ok' | ErrorCode) => void;
}

/** Errors after which another tier is asked, which has more memory and other decoders. */
const beyondThisIsolate: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...beyondThisDecoder,
  'model_requires_batch_tier',
  'model_out_of_memory',
]);

/** Tries the work here first: most refusals cost little, because limits are checked before there is work. */
export async function runHereOrThere<T>(
  { delegate, onDelegated }: Delegation,
  here: () => Promise<T>,
  there: (delegate: Delegate) => Promise<T>,
): Promise<T> {
  try {
    return await here();
  } catch (error) {
    if (!delegate || !(error instanceof CodedError) || !beyondThisIsolate.has(error.code)) throw error;
    try {
      const result = await there(delegate);
      onDelegated?.(error.code, 'ok');
      return result;
    } catch (failure) {
      onDelegated?.(error.code, failure instanceof CodedError ? failure.code : 'internal');
      throw failure;
    }
  }
}
