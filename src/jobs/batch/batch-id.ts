/** Ids of other databases than the first contain its number. Ids of the first are as they were with one database. */
const numberedId = /^batch_([1-9]\d?)_[0-9a-f]{32}$/;

/**
 * @param database number of the database that the batch lies in, from 1.
 * @returns an id with 122 random bits. It gives access to a batch of an anonymous caller, so nobody may guess it.
 */
export function createBatchId(database: number): string {
  const random = crypto.randomUUID().replaceAll('-', '');
  return database === 1 ? `batch_${random}` : `batch_${database}_${random}`;
}

/**
 * Reads the number of the batch's database from its id. There may be no database of this number, and no batch of this id.
 */
export function toDatabaseNumber(id: string): number {
  return Number(numberedId.exec(id)?.[1] ?? 1);
}
