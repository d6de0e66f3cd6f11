import { CodedError } from '../errors.ts';
import { storageRetrySeconds } from '../limits.ts';

/**
 * Messages of bindings that cannot answer now: D1, also before its tables are made; R2 by its internal errors (10001,
 * 10043, 10058); Queues. A broken constraint and a statement that SQLite does not take are bugs of this service, and are
 * not among them.
 *
 * @see Cloudflare's documentation: D1, debug; R2, error codes
 */
const troubles = [
  /^D1_(EXEC_)?ERROR(?!.*(SQLITE_CONSTRAINT|SQLITE_MISMATCH|syntax error|no such column))/s,
  /^\w+: .*\((10001|10043|10058)\)$/s,
  /^Queue send failed/,
];

/** @returns what a caller is told of an error of D1, R2 or Queues; undefined for any other. */
export function toStorageTrouble(error: unknown): CodedError | undefined {
  if (error instanceof CodedError || !(error instanceof Error)) return undefined;
  if (!troubles.some((trouble) => trouble.test(error.message))) return undefined;
  return new CodedError('storage_unavailable', 'The storage of this deployment does not answer now.', {
    cause: error,
    retryAfterSeconds: storageRetrySeconds,
  });
}
