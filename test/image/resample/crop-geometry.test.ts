import { expect, it } from 'vitest';
import { toCropGeometry, toFitGeometry } from '../../../src/image/resample/crop-geometry.ts';
import { defaultSpec } from '../default-spec.ts';

// Expected values: Python's int(256 * long / short) and int(round((side - 224) / 2.0)).
it.each([
  { width: 256, height: 256, resizedWidth: 256, resizedHeight: 256, left: 16, top: 16 },
  { width: 4032, height: 3024, resizedWidth: 341, resizedHeight: 256, left: 58, top: 16 },
  { width: 3024, height: 4032, resizedWidth: 256, resizedHeight: 341, left: 16, top: 58 },
  // 39 / 2 = 19.5 rounds to the even 20, 41 / 2 = 20.5 to the even 20.
  { width: 263, height: 256, resizedWidth: 263, resizedHeight: 256, left: 20, top: 16 },
  { width: 265, height: 256, resizedWidth: 265, resizedHeight: 256, left: 20, top: 16 },
  { width: 1, height: 65_535, resizedWidth: 256, resizedHeight: 16_776_960, left: 16, top: 8_388_368 },
])('$width x $height', ({ width, height, ...expected }) => {
  expect(toCropGeometry(width, height, defaultSpec)).toEqual({ ...expected, width: 224, height: 224 });
});

it.each([
  { width: 4000, height: 3000, maxWidth: 800, maxHeight: 800, wanted: [800, 600] },
  { width: 3000, height: 4000, maxWidth: 800, maxHeight: 800, wanted: [600, 800] },
  { width: 4000, height: 3000, maxWidth: 9000, maxHeight: 300, wanted: [400, 300] },
  { width: 100, height: 50, maxWidth: 800, maxHeight: 800, wanted: [100, 50] },
  { width: 5000, height: 1, maxWidth: 100, maxHeight: 100, wanted: [100, 1] },
  { width: 1, height: 5000, maxWidth: 100, maxHeight: 100, wanted: [1, 100] },
  { width: 1001, height: 999, maxWidth: 500, maxHeight: 500, wanted: [500, 499] },
])('$width x $height within $maxWidth x $maxHeight', ({ width, height, maxWidth, maxHeight, wanted }) => {
  const [resizedWidth, resizedHeight] = wanted;
  expect(toFitGeometry(width, height, { maxWidth, maxHeight })).toEqual({
    resizedWidth,
    resizedHeight,
    left: 0,
    top: 0,
    width: resizedWidth,
    height: resizedHeight,
  });
});
