import { maxClassifierNameLength } from '../../limits.ts';

/** @returns the name as it is stored: without control characters or broken surrogate pairs, and not too long. */
export function toExampleName(given: string): string {
  const plain = given
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ')
    .trim();
  return [...plain].slice(0, maxClassifierNameLength).join('') || 'photo';
}
