import { submode } from '../modes.ts';
import { submodeMasksBytes } from './layout.ts';

/** A mean of two neighbours of the edge, or of three: by the letter of the first, or of the one in the middle. */
type Mean = `2${string}` | `3${string}`;

/** The edge, with the first sample (l) and the last twice. */
const edge = 'lLKJIXABCDEFGHh';

/** Row by row. @see RFC 6386 section 12.3 */
const means: Readonly<Record<number, string>> = {
  [submode.vertical]: '3A 3B 3C 3D 3A 3B 3C 3D 3A 3B 3C 3D 3A 3B 3C 3D',
  [submode.horizontal]: '3I 3I 3I 3I 3J 3J 3J 3J 3K 3K 3K 3K 3L 3L 3L 3L',
  [submode.downRight]: '3X 3A 3B 3C 3I 3X 3A 3B 3J 3I 3X 3A 3K 3J 3I 3X',
  [submode.downLeft]: '3B 3C 3D 3E 3C 3D 3E 3F 3D 3E 3F 3G 3E 3F 3G 3H',
  [submode.verticalRight]: '2X 2A 2B 2C 3X 3A 3B 3C 3I 2X 2A 2B 3J 3X 3A 3B',
  [submode.verticalLeft]: '2A 2B 2C 2D 3B 3C 3D 3E 2B 2C 2D 3F 3C 3D 3E 3G',
  [submode.horizontalDown]: '2I 3X 3A 3B 2J 3I 2I 3X 2K 3J 2J 3I 2L 3K 2K 3J',
  [submode.horizontalUp]: '2J 3J 2K 3K 2K 3K 2L 3L 2L 3L 2l 2l 2l 2l 2l 2l',
};

/** For each mode 16 indexes of means of two, then 16 of means of three; 255 for none. */
export function submodeMasks(): Uint8Array {
  const masks = new Uint8Array(submodeMasksBytes).fill(255);
  for (const [mode, list] of Object.entries(means)) {
    for (const [i, mean] of (list.split(' ') as Mean[]).entries()) {
      const index = edge.indexOf(mean.slice(1));
      if (mean.startsWith('2')) masks[Number(mode) * 32 + i] = index;
      // The mean around sample i + 1 is number i.
      else masks[Number(mode) * 32 + 16 + i] = index - 1;
    }
  }
  return masks;
}
