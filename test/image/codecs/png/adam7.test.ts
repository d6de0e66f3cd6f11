import { expect, it } from 'vitest';
import { toReducedImages, toWholeImage } from '../../../../src/image/codecs/png/adam7.ts';

/** Which pass each pixel of a block of 8 x 8 is in, as PNG 8.1 prints it. */
const printed = [
  [1, 6, 4, 6, 2, 6, 4, 6],
  [7, 7, 7, 7, 7, 7, 7, 7],
  [5, 6, 5, 6, 5, 6, 5, 6],
  [7, 7, 7, 7, 7, 7, 7, 7],
  [3, 6, 4, 6, 3, 6, 4, 6],
  [7, 7, 7, 7, 7, 7, 7, 7],
  [5, 6, 5, 6, 5, 6, 5, 6],
  [7, 7, 7, 7, 7, 7, 7, 7],
];

it('each pixel is in the pass in which PNG has it, passes without pixels are left out', () => {
  for (let width = 1; width <= 17; width++) {
    for (let height = 1; height <= 17; height++) {
      const wanted = new Map<number, string[]>();
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const pass = printed[y % 8]![x % 8]!;
          wanted.set(pass, [...(wanted.get(pass) ?? []), `${x},${y}`]);
        }
      }
      const inOrder = [...wanted].sort(([a], [b]) => a - b).map(([, pixels]) => pixels);
      const reduced = toReducedImages(width, height).map((pass) =>
        Array.from({ length: pass.height }, (_, row) =>
          Array.from(
            { length: pass.width },
            (_, column) => `${pass.x + column * pass.stepX},${pass.y + row * pass.stepY}`,
          ),
        ).flat(),
      );
      expect(reduced).toEqual(inOrder);
    }
  }
});

it('a picture that is not interlaced is one image', () => {
  expect(toWholeImage(3, 2)).toEqual({ x: 0, y: 0, stepX: 1, stepY: 1, width: 3, height: 2 });
});
