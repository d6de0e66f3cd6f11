import {
  block,
  branch,
  branchIf,
  increase,
  loop,
  select,
  set,
  when,
} from '../../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Locals } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32And,
  i32GeU,
  i32LtU,
  i32Mul,
  i32Or,
  i32RemU,
  i32Shl,
  i32ShrU,
  i32Sub,
} from '../../../lib/wasm-text/integers.ts';
import { i32Load8U, v128Load } from '../../../lib/wasm-text/memory.ts';
import {
  i16x8Const,
  i16x8ExtaddPairwiseI8x16U,
  i16x8ExtendHighI8x16U,
  i16x8ExtendLowI8x16U,
  i32x4Add,
  i32x4Const,
  i32x4DotI16x8S,
  i32x4ExtaddPairwiseI16x8U,
  i32x4ExtractLane,
  i32x4Shl,
} from '../../../lib/wasm-text/vectors.ts';
import { bytesPerReduction, modulus } from '../adler32.ts';

const [address, count, previous] = i32Locals('address', 'count', 'previous');
/** Both sums; ends of all bytes, of those until the next reduction, and of whole vectors of these. */
const [a, b, end, stop, vectorEnd] = i32Locals('a', 'b', 'end', 'stop', 'vectorEnd');
/** Sixteen bytes; sums of bytes by lane, of those sums before each vector, and of bytes times how often they count. */
const [bytes, sums, sumsBefore, weighted] = v128Locals('bytes', 'sums', 'sumsBefore', 'weighted');

const vectorBytes = 16;
const total = (lanes: V128) =>
  [1, 2, 3].reduce((sum, lane) => i32Add(sum, i32x4ExtractLane(lane, lanes)), i32x4ExtractLane(0, lanes));

const addVector = [
  set(bytes, v128Load(address)),
  set(sumsBefore, i32x4Add(sumsBefore, sums)),
  set(sums, i32x4Add(sums, i32x4ExtaddPairwiseI16x8U(i16x8ExtaddPairwiseI8x16U(bytes)))),
  set(
    weighted,
    i32x4Add(
      weighted,
      i32x4Add(
        i32x4DotI16x8S(i16x8ExtendLowI8x16U(bytes), i16x8Const([16, 15, 14, 13, 12, 11, 10, 9])),
        i32x4DotI16x8S(i16x8ExtendHighI8x16U(bytes), i16x8Const([8, 7, 6, 5, 4, 3, 2, 1])),
      ),
    ),
  ),
  increase(address, vectorBytes),
];

/** Whole vectors from `address` on: `b` gets `a` for each of their bytes, and each byte as often as bytes follow. */
const addVectors = [
  set(b, i32Add(b, i32Mul(a, i32Sub(vectorEnd, address)))),
  [sums, sumsBefore, weighted].map((lanes) => set(lanes, i32x4Const(0))),
  block('added', (added) =>
    loop('next_vector', (next) => [branchIf(added, i32GeU(address, vectorEnd)), addVector, branch(next)]),
  ),
  set(a, i32Add(a, total(sums))),
  set(b, i32Add(b, total(i32x4Add(weighted, i32x4Shl(sumsBefore, Math.log2(vectorBytes)))))),
];

const addByte = [set(a, i32Add(a, i32Load8U(address))), set(b, i32Add(b, a)), increase(address, 1)];

/** `adler32` of ../adler32.ts, of `count` bytes from `address` on. */
export const adler32 = wasmFunction({
  name: 'adler32',
  exported: true,
  params: [address, count, previous],
  locals: [a, b, end, stop, vectorEnd, bytes, sums, sumsBefore, weighted],
  body: [
    set(a, i32And(previous, 0xffff)),
    set(b, i32ShrU(previous, 16)),
    set(end, i32Add(address, count)),
    block('done', (done) =>
      loop('next_part', (nextPart) => [
        branchIf(done, i32GeU(address, end)),
        set(stop, i32Add(address, bytesPerReduction)),
        set(stop, select(end, stop, i32LtU(end, stop))),
        set(vectorEnd, i32Sub(stop, i32And(i32Sub(stop, address), vectorBytes - 1))),
        addVectors,
        loop('next_byte', (nextByte) => when(i32LtU(address, stop), [addByte, branch(nextByte)])),
        set(a, i32RemU(a, modulus)),
        set(b, i32RemU(b, modulus)),
        branch(nextPart),
      ]),
    ),
  ],
  result: i32Or(i32Shl(b, 16), a),
});
