import { countUp, set, when } from '../../../lib/wasm-text/control.ts';
import { i32Local, i32Locals, v128Locals } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import { i32Add, i32And, i32GeS, i32LtS, i32Shl, i32ShrU, i32Sub } from '../../../lib/wasm-text/integers.ts';
import { at, i32Load, memoryCopy, v128Load, v128Store32Lane } from '../../../lib/wasm-text/memory.ts';
import {
  i32x4Add,
  i32x4Const,
  i32x4LeS,
  i32x4Shl,
  i32x4ShrS,
  i32x4Splat,
  v128And,
  v128Bitselect,
} from '../../../lib/wasm-text/vectors.ts';
import { regions } from '../layout.ts';
import { entryFlags, literalShift, pairShift } from '../symbols.ts';
import { field, region, state } from './state.ts';

const [tableBits, codes, code, first, firstBits] = i32Locals(
  'tableBits',
  'codes',
  'code',
  'first',
  'firstBits',
);
/**
 * What follows the first literal in the index: how many there are, the next four of them, where their entries stand.
 */
const [follows, following, target, step] = i32Locals('follows', 'following', 'target', 'step');
const index = i32Local('index');
const [firsts, pairs, seconds, secondBits, room] = v128Locals(
  'firsts',
  'pairs',
  'seconds',
  'secondBits',
  'room',
);

const entryIn = (table: number, ofIndex: typeof index) => at(i32Add(state, i32Shl(ofIndex, 2)), table);

/** The entries of four indices that begin with one literal: with a second one where both fit. */
const pairFour = [
  set(seconds, v128Load(entryIn(regions.singles, following))),
  set(secondBits, v128And(seconds, i32x4Const(63))),
  set(
    pairs,
    i32x4Add(
      i32x4Add(firsts, i32x4Add(secondBits, i32x4Const(entryFlags.pair))),
      i32x4Shl(v128And(seconds, i32x4Const(0xff << literalShift)), pairShift - literalShift),
    ),
  ),
  set(
    pairs,
    // A literal has the highest bit set.
    v128Bitselect(pairs, firsts, v128And(i32x4ShrS(seconds, 31), i32x4LeS(secondBits, room))),
  ),
  [0, 1, 2, 3].map((lane) => [
    v128Store32Lane(lane, at(target, regions.literalTable), pairs),
    set(target, i32Add(target, step)),
  ]),
];

const pairFirst = [
  set(firsts, i32x4Splat(first)),
  set(room, i32x4Splat(i32Sub(tableBits, firstBits))),
  set(target, i32Add(state, i32Shl(code, 2))),
  set(step, i32Shl(4, firstBits)),
  countUp(following, follows, 4, pairFour),
];

/**
 * Makes entries of two literals where the bits of the table hold both. By the index, a literal's code is followed by
 * what is the index of the next: what stands there in a copy of the table without pairs.
 */
export const pairLiterals = wasmFunction({
  name: 'pair_literals',
  exported: true,
  params: [state],
  locals: [
    ...[tableBits, codes, code, first, firstBits, follows, following, target, step],
    ...[firsts, pairs, seconds, secondBits, room],
  ],
  body: [
    set(tableBits, field('literalBits')),
    memoryCopy(region('singles'), region('literalTable'), i32Shl(4, tableBits)),
    // Longer ones leave no room for a second of two bits.
    set(codes, i32ShrU(i32Shl(1, tableBits), 2)),
    countUp(code, codes, 1, [
      set(first, i32Load(entryIn(regions.singles, code))),
      set(firstBits, i32And(first, 63)),
      set(follows, i32Shl(1, i32Sub(tableBits, firstBits))),
      when(
        i32And(
          i32And(i32LtS(first, 0), i32GeS(follows, 4)),
          // Each code once, where nothing follows it.
          i32LtS(code, i32Shl(1, firstBits)),
        ),
        pairFirst,
      ),
    ]),
  ],
});
