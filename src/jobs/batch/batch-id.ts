/** In the first database ids look as they did when there was one alone. In another one the number stands before them. */
const numberedId = /^batch_([1-9]\d?)_[0-9a-f]{32}$/;

/**
 * @param database number of the database that the batch lies in, from 1.
 * @returns an id of 122 random bits: for anonymous callers it is what gives access.
 */
export function createBatchId(database: number): string {
  const random = crypto.randomUUID().replaceAll('-', '');
  return database === 1 ? `batch_${random}` : `batch_${database}_${random}`;
}

/**
 * The number of the database that a batch lies in, so that none has to be asked. There need not be a database of this
 * number, nor a batch of this id.
 */
export function toDatabaseNumber(id: string): number {
  return Number(numberedId.exec(id)?.[1] ?? 1);
}
