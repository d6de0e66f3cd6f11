import { type V128, v128Locals } from '../../lib/wasm-text/expression.ts';
import {
  i16x8Add,
  i16x8Mul,
  i16x8Shl,
  i16x8Splat,
  i16x8Sub,
  i32x4Add,
  i32x4Shl,
  i32x4Sub,
} from '../../lib/wasm-text/vectors.ts';

/**
 * Winograd's minimal filtering F(m x m, 3 x 3): m x m outputs from (m + 2) x (m + 2) inputs by as many products, in
 * integers. The transforms of inputs and outputs have integer coefficients. The transform of the weights is multiplied by
 * a factor to get them, so the sums are too large by its square. Everything is exact modulo 2^32, so only the true sum has
 * to fit: multiplying by the inverse removes the factor's odd part, and a shift removes its power of two.
 *
 * @see Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2016), section 4
 */
export interface WinogradVariant {
  /** Outputs along one side of a tile. */
  readonly side: 2 | 4;
  readonly stride: 1 | 2;
  /** B^T d along one axis: as many int16 vectors as `positionsAlong` says to as many. Results of inputs within -255 to 255 are still int16. */
  readonly input: Transform;
  /** G g: 3 int16 vectors to as many. Results of int8 weights are at most 18,432. */
  readonly weights: Transform;
  /** A^T m: as many int32 vectors to side. */
  readonly output: Transform;
  /** Sums come out 2^shift x factor times too large, modulo 2^32: true ones must be within 31 - shift bits. */
  readonly shift: number;
  /** The inverse of the odd factor, modulo 2^32. */
  readonly inverse?: number;
}

/** Vectors in, vectors out; `shared` are set to the locals `sharedLocals`, in order, before the results are computed. */
export type Transform = (vectors: readonly V128[]) => {
  readonly shared?: readonly V128[];
  readonly results: readonly V128[];
};

export const sharedLocals = v128Locals('shared0', 'shared1', 'shared2', 'shared3', 'shared4');
const [e0, e1, e2, e3, e4] = sharedLocals;

const int16 = {
  plus: i16x8Add,
  minus: i16x8Sub,
  times: (a: V128, powerOfTwo: 2 | 4) => i16x8Shl(a, Math.log2(powerOfTwo)),
};
const int32 = {
  plus: i32x4Add,
  minus: i32x4Sub,
  times: (a: V128, powerOfTwo: 2 | 4 | 8) => i32x4Shl(a, Math.log2(powerOfTwo)),
};
const scale = (a: V128, by: number) => i16x8Mul(a, i16x8Splat(by));

/** Points 0, 1, -1 and infinity; weights by 2G. 16 products for 36. */
export const tilesOf2: WinogradVariant = {
  side: 2,
  stride: 1,
  input: ([d0, d1, d2, d3]) => ({
    results: [int16.minus(d0!, d2!), int16.plus(d1!, d2!), int16.minus(d2!, d1!), int16.minus(d1!, d3!)],
  }),
  weights: ([g0, g1, g2]) => ({
    shared: [int16.plus(g0!, g2!)],
    results: [int16.times(g0!, 2), int16.plus(e0, g1!), int16.minus(e0, g1!), int16.times(g2!, 2)],
  }),
  output: ([m0, m1, m2, m3]) => ({
    results: [int32.plus(int32.plus(m0!, m1!), m2!), int32.minus(int32.minus(m1!, m2!), m3!)],
  }),
  shift: 2,
};

/** Points 0, 1, -1, 2, -2 and infinity; weights by 24G, the last row by half of it. 36 products for 144. */
export const tilesOf4: WinogradVariant = {
  side: 4,
  stride: 1,
  input: ([d0, d1, d2, d3, d4, d5]) => ({
    shared: [
      int16.times(d1!, 4),
      int16.minus(d4!, int16.times(d2!, 4)),
      int16.minus(d3!, e0),
      int16.minus(d4!, d2!),
      int16.times(int16.minus(d3!, d1!), 2),
    ],
    results: [
      int16.plus(int16.times(d0!, 4), int16.minus(e1, d2!)),
      int16.plus(e1, e2),
      int16.minus(e1, e2),
      int16.plus(e3, e4),
      int16.minus(e3, e4),
      int16.minus(int16.plus(e0, d5!), int16.plus(int16.times(d3!, 4), d3!)),
    ],
  }),
  weights: ([g0, g1, g2]) => ({
    shared: [int16.plus(g0!, g2!), int16.plus(g0!, int16.times(g2!, 4)), int16.times(g1!, 2)],
    results: [
      scale(g0!, 6),
      int16.times(int16.plus(e0, g1!), 4),
      int16.times(int16.minus(e0, g1!), 4),
      int16.plus(e1, e2),
      int16.minus(e1, e2),
      scale(g2!, 12),
    ],
  }),
  output: ([m0, m1, m2, m3, m4, m5]) => ({
    shared: [
      int32.plus(m1!, m2!),
      int32.minus(m1!, m2!),
      int32.plus(m3!, m4!),
      int32.times(int32.minus(m3!, m4!), 2),
    ],
    results: [
      int32.minus(int32.plus(m0!, e2), e0),
      int32.minus(e3, e1),
      int32.minus(int32.times(e2, 4), e0),
      int32.plus(int32.minus(int32.times(e3, 4), e1), int32.times(m5!, 2)),
    ],
  }),
  // 24 x 24 is 9 x 64.
  shift: 6,
  inverse: 954_437_177,
};

/**
 * For 7 x 7 outputs, where weights are transformed for few tiles: no factor is in the weights, all are in the outputs.
 * Results of int8 weights are at most 49 x 128. Along an axis, sums of tiles of 4 come out 24 times too large, those of
 * tiles of 3 six times.
 */
export const plainWeights: Transform = ([g0, g1, g2]) => ({
  shared: [int16.plus(g0!, g2!), int16.plus(g0!, int16.times(g2!, 4)), int16.times(g1!, 2)],
  results: [g0!, int16.plus(e0, g1!), int16.minus(e0, g1!), int16.plus(e1, e2), int16.minus(e1, e2), g2!],
});

const times3 = (value: V128) => int32.plus(value, int32.times(value, 2));

/** Points 0, 1, -1, 2, -2 and infinity. */
export const plainTilesOf4: Pick<WinogradVariant, 'input' | 'output'> = {
  input: tilesOf4.input,
  output: ([m0, m1, m2, m3, m4, m5]) => ({
    shared: [
      int32.times(int32.plus(m1!, m2!), 4),
      int32.times(int32.minus(m1!, m2!), 4),
      int32.plus(m3!, m4!),
      int32.times(int32.minus(m3!, m4!), 2),
    ],
    results: [
      int32.plus(int32.minus(int32.times(times3(m0!), 2), e0), e2),
      int32.minus(e3, e1),
      int32.minus(int32.times(e2, 4), e0),
      int32.plus(int32.minus(int32.times(e3, 4), e1), int32.times(times3(m5!), 8)),
    ],
  }),
};

/** Points 0, 1, -1, 2 and infinity: those of tiles of 4 but one. */
export const plainTilesOf3: Pick<WinogradVariant, 'input' | 'output'> = {
  input: ([d0, d1, d2, d3, d4]) => ({
    shared: [int16.minus(d3!, d1!), int16.minus(d1!, d2!)],
    results: [
      int16.plus(int16.times(int16.minus(d0!, d2!), 2), e0),
      int16.minus(e0, int16.plus(d1!, d2!)),
      int16.plus(e0, int16.plus(e1, int16.times(e1, 2))),
      e0,
      int16.minus(int16.minus(d4!, d2!), int16.times(e0, 2)),
    ],
  }),
  output: ([m0, m1, m2, m3, m4]) => ({
    shared: [times3(m1!), int32.plus(e0, m2!), int32.times(m3!, 2)],
    results: [
      int32.plus(int32.minus(times3(m0!), e1), m3!),
      int32.plus(int32.minus(m2!, e0), e2),
      int32.plus(int32.minus(int32.times(e2, 2), e1), int32.times(times3(m4!), 2)),
    ],
  }),
};

/**
 * F(3 x 3, 4 x 4), at the points of `tilesOf4`, whose inputs it shares: for the stem's kernel, see winograd-stem.ts. Results
 * of int8 weights are at most 16 x 16 x 128, and of that magnitude only below zero: int16.
 */
export const kernelsOf4: Pick<WinogradVariant, 'input' | 'weights' | 'output'> = {
  input: tilesOf4.input,
  weights: ([g0, g1, g2, g3]) => ({
    shared: [
      int16.plus(g0!, g2!),
      int16.plus(g1!, g3!),
      int16.plus(g0!, int16.times(g2!, 4)),
      int16.times(int16.plus(g1!, int16.times(g3!, 4)), 2),
    ],
    results: [
      scale(g0!, 6),
      int16.times(int16.plus(e0, e1), 4),
      int16.times(int16.minus(e0, e1), 4),
      int16.plus(e2, e3),
      int16.minus(e2, e3),
      scale(g3!, 12),
    ],
  }),
  output: ([m0, m1, m2, m3, m4, m5]) => ({
    shared: [int32.plus(m1!, m2!), int32.minus(m1!, m2!), int32.plus(m3!, m4!), int32.minus(m3!, m4!)],
    results: [
      int32.plus(int32.minus(m0!, e0), e2),
      int32.minus(int32.times(e3, 2), e1),
      int32.plus(int32.minus(int32.times(e2, 4), e0), int32.times(m5!, 2)),
    ],
  }),
};

/**
 * Stride 2. Every other input is multiplied only by the middle weight: these inputs are positions of their own. The others
 * are a convolution of two weights with stride 1. Points 0, 1 and infinity: 25 products instead of 36.
 */
export const stridedTilesOf2: WinogradVariant = {
  side: 2,
  stride: 2,
  input: ([d0, d1, d2, d3, d4]) => ({
    results: [int16.minus(d0!, d2!), d2!, int16.minus(d4!, d2!), d1!, d3!],
  }),
  weights: ([g0, g1, g2]) => ({ results: [g0!, int16.plus(g0!, g2!), g2!, g1!, g1!] }),
  output: ([m0, m1, m2, m3, m4]) => ({
    results: [int32.plus(int32.plus(m0!, m1!), m3!), int32.plus(int32.plus(m1!, m2!), m4!)],
  }),
  shift: 0,
};

/** The same at the points 0, 1, -1, 2 and infinity: 81 products for 144. Sums come out 6 times too large along an axis. */
export const stridedTilesOf4: WinogradVariant = {
  side: 4,
  stride: 2,
  input: ([d0, d1, d2, d3, d4, d5, d6, d7, d8]) => {
    const { shared = [], results } = plainTilesOf3.input([d0!, d2!, d4!, d6!, d8!]);
    return { shared, results: [...results, d1!, d3!, d5!, d7!] };
  },
  weights: ([g0, g1, g2]) => ({
    shared: [scale(g1!, 6)],
    results: [
      ...[g0!, int16.plus(g0!, g2!), int16.minus(g0!, g2!), int16.plus(g0!, int16.times(g2!, 2)), g2!],
      ...[e0, e0, e0, e0],
    ],
  }),
  output: ([m0, m1, m2, m3, m4, m5, m6, m7, m8]) => ({
    shared: [times3(m1!), int32.plus(e0, m2!), int32.minus(m2!, e0), int32.times(m3!, 2)],
    results: [
      int32.plus(int32.plus(int32.minus(times3(m0!), e1), m3!), m5!),
      int32.plus(int32.plus(e2, e3), m6!),
      int32.plus(int32.minus(int32.times(e3, 2), e1), m7!),
      int32.plus(int32.plus(e2, int32.times(e3, 4)), int32.plus(int32.times(times3(m4!), 2), m8!)),
    ],
  }),
  // 6 x 6 is 9 x 4.
  shift: 2,
  inverse: 954_437_177,
};
