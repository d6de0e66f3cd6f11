import { block, branch, branchIf, increase, loop, set } from '../../../../lib/wasm-text/control.ts';
import { type I32, i32Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32And,
  i32GeU,
  i32GtU,
  i32Shl,
  i32ShrU,
  i32Xor,
} from '../../../../lib/wasm-text/integers.ts';
import { at, i32Load, i32Load8U } from '../../../../lib/wasm-text/memory.ts';
import { bytesPerTable, slices } from '../crc32.ts';

const [address, count, previous, tables] = i32Locals('address', 'count', 'previous', 'tables');
const [crc, end] = i32Locals('crc', 'end');
const words = i32Locals('word0', 'word1', 'word2', 'word3');

/** What table `slice` has for byte `index` of `word`. */
function lookUp(slice: number, word: I32, index: number): I32 {
  const entryBytes = 2;
  const shifted = index === 0 ? i32Shl(word, entryBytes) : i32ShrU(word, index * 8 - entryBytes);
  return i32Load(at(i32Add(tables, i32And(shifted, 0xff << entryBytes)), slice * bytesPerTable));
}

const takeWords = [
  words.map((word, index) => set(word, i32Load(at(address, index * 4)))),
  set(words[0], i32Xor(words[0], crc)),
  set(
    crc,
    Array.from({ length: slices }, (_, index) =>
      lookUp(slices - 1 - index, words[index >> 2]!, index & 3),
    ).reduce((sum, value) => i32Xor(sum, value)),
  ),
  increase(address, slices),
];

/**
 * `crc32` of ../crc32.ts, of `count` bytes from `address` on. `tables` is where its tables stand, one after the other.
 *
 * @returns a signed number.
 */
export const crc32 = wasmFunction({
  name: 'crc32',
  exported: true,
  params: [address, count, previous, tables],
  locals: [crc, end, ...words],
  body: [
    set(crc, i32Xor(previous, -1)),
    set(end, i32Add(address, count)),
    block('whole', (whole) =>
      loop('next_words', (next) => [
        branchIf(whole, i32GtU(i32Add(address, slices), end)),
        takeWords,
        branch(next),
      ]),
    ),
    block('done', (done) =>
      loop('next_byte', (next) => [
        branchIf(done, i32GeU(address, end)),
        set(crc, i32Xor(lookUp(0, i32Xor(crc, i32Load8U(address)), 0), i32ShrU(crc, 8))),
        increase(address, 1),
        branch(next),
      ]),
    ),
  ],
  result: i32Xor(crc, -1),
});
