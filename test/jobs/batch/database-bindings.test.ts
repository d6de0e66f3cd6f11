import { expect, it } from 'vitest';
import { readBatchDatabases } from '../../../functions/edge-databases.ts';
import { orderDatabaseBindings } from '../../../src/jobs/batch/database-bindings.ts';
import { maxBatchDatabases } from '../../../src/limits.ts';
import { openD1 } from './sqlite-d1.ts';

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `BATCHES_DB_${from + index}`);

it('orders databases by number, not by name', () => {
  const names = ['MODELS', ...numbered(2, 11).reverse(), 'BATCHES', 'BATCHES_DB'];
  expect(orderDatabaseBindings(names)).toEqual(['BATCHES_DB', ...numbered(2, 11)]);
  expect(orderDatabaseBindings(['MODELS', 'BATCHES'])).toEqual([]);
});

it.each([
  [['BATCHES_DB', 'BATCHES_DB_3'], 'BATCHES_DB_2 is missing'],
  [['BATCHES_DB_2'], 'BATCHES_DB is missing'],
  [['BATCHES_DB', ...numbered(2, maxBatchDatabases + 1)], `BATCHES_DB_${maxBatchDatabases + 1} has no name`],
  [['BATCHES_DB', 'BATCHES_DB_1'], 'BATCHES_DB_1 has no name'],
  [['BATCHES_DB', 'BATCHES_DB_02'], 'BATCHES_DB_02 has no name'],
  [['BATCHES_DB', 'BATCHES_DB2'], 'BATCHES_DB2 has no name'],
  [['BATCHES_DB', 'BATCHES_DB_EU'], 'BATCHES_DB_EU has no name'],
])('%j: %s', (names, reason) => {
  expect(() => orderDatabaseBindings(names)).toThrow(
    expect.objectContaining({ code: 'configuration_invalid', message: expect.stringContaining(reason) }),
  );
});

it('refuses a variable in the place of a database', () => {
  const db = openD1();
  expect(readBatchDatabases({ BATCHES_DB: db, API_KEYS: '[]' })).toEqual([db]);
  expect(() => readBatchDatabases({ BATCHES_DB: db, BATCHES_DB_2: 'resnet-edge-batches-2' })).toThrow(
    expect.objectContaining({
      code: 'configuration_invalid',
      message: expect.stringContaining('BATCHES_DB_2'),
    }),
  );
});
