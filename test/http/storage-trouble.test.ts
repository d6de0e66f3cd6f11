import { describe, expect, it } from 'vitest';
import { CodedError } from '../../src/errors.ts';
import { toStorageTrouble } from '../../src/http/storage-trouble.ts';

/** Messages as the bindings of Workers give them: Cloudflare's lists of the errors of D1, R2 and Queues, and workerd's. */
describe('toStorageTrouble', () => {
  it.each([
    'D1_ERROR: no such table: batches: SQLITE_ERROR',
    'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
    'D1_ERROR: Network connection lost.',
    'put: We encountered an internal error. Please try again. (10001)',
    'Queue send failed: Internal Server Error',
  ])('%s passes', (message) => {
    expect(toStorageTrouble(new Error(message))).toMatchObject({
      code: 'storage_unavailable',
      retryAfterSeconds: 5,
    });
  });

  it.each([
    new Error('D1_ERROR: UNIQUE constraint failed: batches.id: SQLITE_CONSTRAINT'),
    new Error('D1_ERROR: near "SELEC": syntax error at offset 0: SQLITE_ERROR'),
    new Error('D1_ERROR: no such column: nothing: SQLITE_ERROR'),
    new Error('put: The specified object name is not valid. (10020)'),
    new TypeError('Cannot read properties of undefined'),
    new CodedError('batch_unknown', 'D1_ERROR'),
    'D1_ERROR',
  ])('%s is a bug of ours, or has its own code', (error) => {
    expect(toStorageTrouble(error)).toBeUndefined();
  });
});
