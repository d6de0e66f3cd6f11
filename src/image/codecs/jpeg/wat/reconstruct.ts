import { countUp, increase, set, when } from '../../../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Local, v128Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import { i32Add, i32Mul } from '../../../../lib/wasm-text/integers.ts';
import { at, i32Load16U, v128Load, v128Store } from '../../../../lib/wasm-text/memory.ts';
import {
  i8x16Const,
  i8x16Swizzle,
  i16x8ExtractLaneS,
  i16x8Mul,
  i16x8ReplaceLane,
  v128AnyTrue,
  v128Or,
} from '../../../../lib/wasm-text/vectors.ts';
import { swizzleZero } from '../../../wat/store-interleaved.ts';
import { zigzag } from '../segments.ts';
import { dc, out, side, stride, transform, writeFlat } from './block-output.ts';
import { scanLocals, value } from './scan-locals.ts';

const { block, count } = scanLocals;
const [coefficients, divisors, i, first] = i32Locals('coefficients', 'divisors', 'i', 'first');
/** The block in zigzag order, and one row of it. */
const zigzagged = v128Locals('z0', 'z1', 'z2', 'z3', 'z4', 'z5', 'z6', 'z7');
const gathered = v128Local('gathered');

const lanes = 8;
const columns = Array.from({ length: lanes }, (_, column) => column);

/** Gathers row `row` of a block from the vectors in zigzag order: adds what each has of the row, with zeros elsewhere. */
function gather(row: number): V128 {
  const wanted = columns.map((column) => zigzag.indexOf(row * lanes + column));
  const parts = [...new Set(wanted.map((k) => k >> 3))].map((source) => {
    const order = wanted.flatMap((k) =>
      k >> 3 === source ? [(k & 7) * 2, (k & 7) * 2 + 1] : [swizzleZero, swizzleZero],
    );
    return i8x16Swizzle(zigzagged[source]!, i8x16Const(order));
  });
  return parts.reduce((all, part) => v128Or(all, part));
}

const dequantize = (row: number) => [
  set(gathered, gather(row)),
  v128Store(at(block, row * 16), i16x8Mul(gathered, v128Load(at(divisors, row * 16)))),
];

const [dcAndFirst, ...others] = zigzagged;
const acCoefficients = others.reduce<V128>(
  (all, some) => v128Or(all, some),
  i16x8ReplaceLane(0, dcAndFirst, 0),
);

/**
 * Turns a row of blocks of coefficients, 64 i16 each in zigzag order, into samples: `dequantizeBlock` of
 * src/image/codecs/jpeg/progressive-block.ts and `ComponentPlane.writeBlock`. `divisors` are 64 u16, row-major. Afterwards
 * `block` is not zero.
 */
export const reconstructRow = wasmFunction({
  name: 'reconstruct_row',
  exported: true,
  hoistsConstants: true,
  params: [coefficients, divisors, block, count, out, side, stride],
  locals: [i, dc, value, first, ...zigzagged, gathered],
  body: [
    set(first, out),
    countUp(i, count, 1, [
      zigzagged.map((vector, index) => set(vector, v128Load(at(coefficients, index * 16)))),
      set(out, i32Add(first, i32Mul(i, side))),
      set(dc, i32Mul(i16x8ExtractLaneS(0, dcAndFirst), i32Load16U(divisors))),
      when(v128AnyTrue(acCoefficients), [columns.map(dequantize), transform], writeFlat),
      increase(coefficients, lanes * 16),
    ]),
  ],
});
