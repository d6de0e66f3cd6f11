import { digestHex } from '../../lib/digest.ts';

/**
 * Chooses the database for new batches of an owner by rendezvous hashing: the database whose hash with the owner is the
 * greatest. A new database takes its share of the owners; the other owners stay where they are.
 *
 * @param databases how many there are.
 * @returns a number from 1.
 */
export async function chooseHome(owner: string, databases: number): Promise<number> {
  if (databases === 1) return 1;
  const numbers = Array.from({ length: databases }, (_, index) => index + 1);
  const hashes = await Promise.all(numbers.map((number) => digestHex(`${number} ${owner}`)));
  return numbers.reduce((best, number) => (hashes[number - 1]! > hashes[best - 1]! ? number : best));
}
