import { expect, test } from 'vitest';
import { createBatchId, toDatabaseNumber } from '../../../src/jobs/batch/batch-id.ts';

const random = '0123456789abcdef0123456789abcdef';

test.each([1, 2, 10, 99])('an id tells that its batch lies in database %i', (database) => {
  expect(toDatabaseNumber(createBatchId(database))).toBe(database);
});

test('an id names no database where it is the first one', () => {
  expect(createBatchId(1)).toMatch(/^batch_[0-9a-f]{32}$/);
  expect(createBatchId(2)).toMatch(/^batch_2_[0-9a-f]{32}$/);
});

test('no two ids are the same', () => {
  expect(createBatchId(1)).not.toBe(createBatchId(1));
});

test.each(['batch_0_', 'batch_02_', 'batch_100_', 'batch_-2_', 'xbatch_2_'])(
  '%s… was made by nobody, and asks the first database',
  (start) => {
    expect(toDatabaseNumber(start + random)).toBe(1);
  },
);

test.each([random.slice(1), `${random}0`, random.toUpperCase()])('so does batch_2_%s', (end) => {
  expect(toDatabaseNumber(`batch_2_${end}`)).toBe(1);
});
