import { digestHex } from '../../lib/digest.ts';

/**
 * The database that new batches of an owner go to, by rendezvous hashing: of all databases the one whose hash with the
 * owner is the greatest. One more database takes its share of the owners, and leaves the others where they are.
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
