/** Weights of the DC coefficients of 5 x 5 blocks, row-major, that estimate a coefficient of the block in the middle. */
export type DcWeights = readonly number[];

/** What sums of weighted DC coefficients are divided by. */
export const weightScale = 256;

/**
 * Weights for zigzag indices 1 to 5, for an image in which some AC coefficients are known. They give the slopes and
 * curvatures of a surface through the blocks' means.
 *
 * @see libjpeg-turbo jdcoefct.c, `decompress_smooth_data`, which uses more blocks than ITU-T T.81 K.8
 */
// biome-ignore format: a row of blocks is a line.
export const surfaceWeights: readonly DcWeights[] = [
  [ 0, 0, 0,  0, 0,   0,  0, 0,   0,  0,  -7, 50,   0, -50,  7,   0,   0,   0,  0,  0,   0, 0,  0,  0, 0],
  [ 0, 0, -7, 0, 0,   0,  0, 50,  0,  0,   0,  0,   0,   0,  0,   0,   0, -50,  0,  0,   0, 0,  7,  0, 0],
  [ 0, 0, -1, 0, 0,   0,  0, 13,  0,  0,   0,  0, -24,   0,  0,   0,   0,  13,  0,  0,   0, 0, -1,  0, 0],
  [ 0, -1, 0, 1, 0,  -1, 10, 0, -10,  1,   0,  0,   0,   0,  0,   1, -10,   0, 10, -1,   0, 1,  0, -1, 0],
  [ 0, 0, 0,  0, 0,   0,  0, 0,   0,  0,  -1, 13, -24,  13, -1,   0,   0,   0,  0,  0,   0, 0,  0,  0, 0],
];

/**
 * Weights for zigzag indices 0 to 9, for an image in which only DC is known. They blur like a Gaussian.
 *
 * @see libjpeg-turbo jdcoefct.c, `decompress_smooth_data`
 */
// biome-ignore format: a row of blocks is a line.
export const blurWeights: readonly DcWeights[] = [
  [-2, -6, -8, -6, -2,  -6,  6, 42,   6, -6,  -8, 42, 152,  42, -8,  -6,   6,  42,   6, -6,  -2, -6, -8, -6, -2],
  [-1, -1,  0,  1,  1,  -3, 13,  0, -13,  3,  -3, 38,   0, -38,  3,  -3,  13,   0, -13,  3,  -1, -1,  0,  1,  1],
  [-1, -3, -3, -3, -1,  -1, 13, 38,  13, -1,   0,  0,   0,   0,  0,   1, -13, -38, -13,  1,   1,  3,  3,  3,  1],
  [ 0,  0,  1,  0,  0,   0,  2,  7,   2,  0,   0, -5, -14,  -5,  0,   0,   2,   7,   2,  0,   0,  0,  1,  0,  0],
  [-1,  0,  0,  0,  1,   0,  9,  0,  -9,  0,   0,  0,   0,   0,  0,   0,  -9,   0,   9,  0,   1,  0,  0,  0, -1],
  [ 0,  0,  0,  0,  0,   0,  2, -5,   2,  0,   1,  7, -14,   7,  1,   0,   2,  -5,   2,  0,   0,  0,  0,  0,  0],
  [ 0,  0,  0,  0,  0,   0,  1,  0,  -1,  0,   0,  2,   0,  -2,  0,   0,   1,   0,  -1,  0,   0,  0,  0,  0,  0],
  [ 0,  0,  0,  0,  0,   0,  1, -3,   1,  0,   0,  0,   0,   0,  0,   0,  -1,   3,  -1,  0,   0,  0,  0,  0,  0],
  [ 0,  0,  0,  0,  0,   0,  1,  0,  -1,  0,   0, -3,   0,   3,  0,   0,   1,   0,  -1,  0,   0,  0,  0,  0,  0],
  [ 0,  0,  0,  0,  0,   0,  1,  2,   1,  0,   0,  0,   0,   0,  0,   0,  -1,  -2,  -1,  0,   0,  0,  0,  0,  0],
];
