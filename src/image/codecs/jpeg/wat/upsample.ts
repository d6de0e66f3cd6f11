import { countUp, increase, set } from '../../../../lib/wasm-text/control.ts';
import { type I32, i32Locals, type V128, v128Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import { i32Add } from '../../../../lib/wasm-text/integers.ts';
import { v128Load8x8U, v128Store } from '../../../../lib/wasm-text/memory.ts';
import {
  i8x16Shuffle,
  i16x8Add,
  i16x8Const,
  i16x8Shl,
  i16x8ShrU,
  v128Or,
} from '../../../../lib/wasm-text/vectors.ts';

const [row, near, far, out, count, i] = i32Locals('row', 'near', 'far', 'out', 'count', 'i');
const [before, here, after, weighted] = v128Locals('before', 'here', 'after', 'weighted');
const [last, next] = v128Locals('last', 'next');

const triple = (a: V128) => i16x8Add(a, i16x8Shl(a, 1));
const eightFrom = (address: I32, distance: number) => v128Load8x8U(i32Add(address, distance));

/** Writes two outputs for each of eight samples: 3/4 of the sample and 1/4 of the neighbour on that side. */
const writeOutputs = (shift: number, roundLeft: number, roundRight: number) => {
  const output = (neighbour: V128, round: number) =>
    i16x8ShrU(i16x8Add(i16x8Add(weighted, neighbour), i16x8Const(round)), shift);
  return [
    set(weighted, triple(here)),
    v128Store(out, v128Or(output(before, roundLeft), i16x8Shl(output(after, roundRight), 8))),
    increase(out, 16),
  ];
};

/**
 * Doubles the width of a row's inner samples, eight a step. The image's first and last sample are not among them. Reads
 * up to 8 bytes and writes up to 14 bytes behind the last.
 *
 * @see libjpeg-turbo jdsample.c, `h2v1_fancy_upsample`
 */
export const fancyH2V1 = wasmFunction({
  name: 'fancy_h2v1',
  exported: true,
  hoistsConstants: true,
  params: [row, out, count],
  locals: [i, before, here, after, weighted],
  body: countUp(i, count, 8, [
    set(before, eightFrom(row, -1)),
    set(here, v128Load8x8U(row)),
    set(after, eightFrom(row, 1)),
    writeOutputs(2, 1, 2),
    increase(row, 8),
  ]),
});

/** 3/4 of the near row plus 1/4 of the far one, times 4, for eight samples. */
const column = (distance: number) => i16x8Add(triple(eightFrom(near, distance)), eightFrom(far, distance));
/** Lanes `first` to `first + 7` of the sixteen that `a` and `b` are. */
const lanesFrom = (first: number, a: V128, b: V128) =>
  i8x16Shuffle(
    Array.from({ length: 16 }, (_, byte) => byte + first * 2),
    a,
    b,
  );

/**
 * The same at twice the height too. Each column is computed once, because its neighbours come from the previous and the
 * next step. Reads from 8 bytes before the first to 15 behind the last.
 *
 * @see libjpeg-turbo jdsample.c, `h2v2_fancy_upsample`
 */
export const fancyH2V2 = wasmFunction({
  name: 'fancy_h2v2',
  exported: true,
  hoistsConstants: true,
  params: [near, far, out, count],
  locals: [i, before, here, after, weighted, last, next],
  body: [
    set(last, column(-8)),
    set(here, column(0)),
    countUp(i, count, 8, [
      set(next, column(8)),
      set(before, lanesFrom(7, last, here)),
      set(after, lanesFrom(1, here, next)),
      writeOutputs(4, 8, 7),
      set(last, here),
      set(here, next),
      increase(near, 8),
      increase(far, 8),
    ]),
  ],
});
