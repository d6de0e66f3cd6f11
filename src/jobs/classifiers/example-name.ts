import { maxClassifierNameLength } from '../../limits.ts';

/** @returns a file's name as it is kept: without control characters, whole characters alone, not too long. */
export function toExampleName(given: string): string {
  const plain = given
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ')
    .trim();
  return [...plain].slice(0, maxClassifierNameLength).join('') || 'photo';
}
