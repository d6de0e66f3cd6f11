import {
  block,
  branch,
  branchIf,
  increase,
  type Label,
  loop,
  set,
  when,
} from '../../../../lib/wasm-text/control.ts';
import type { I32, I64, Operand } from '../../../../lib/wasm-text/expression.ts';
import {
  i32Add,
  i32And,
  i32Eqz,
  i32LeS,
  i32LeU,
  i32Or,
  i32Shl,
  i32ShrS,
  i32ShrU,
  i32Sub,
  i32WrapI64,
  i64ExtendI32U,
  i64Or,
  i64Shl,
  i64ShrU,
  i64Sub,
} from '../../../../lib/wasm-text/integers.ts';
import { at, i32Load, i32Load8U, i32Load16U, i32Store, i64Load } from '../../../../lib/wasm-text/memory.ts';
import { lookaheadBits, maxCodeLength } from '../huffman.ts';
import { componentLayout, scanLayout, tableLayout } from '../wasm/layout.ts';
import {
  bits,
  code,
  component,
  entry,
  length,
  type ScanField,
  scan,
  scanLocals,
  size,
  symbol,
  table,
  value,
} from './scan-locals.ts';

/* What the routines of all scans are made of. They keep the bits at hand in `bits`, `count` and `position`. */

const { count, position } = scanLocals;

/** Fewest bits that `bits` holds after `fetch`: 7 bytes. */
export const fetchedBits = 56;
/** Look-ups that one `fetch` is enough for, if each consumes no more than the look-ahead. */
export const lookupsPerFetch = Math.floor(fetchedBits / lookaheadBits);

export const field = (name: ScanField) => i32Load(at(scan, scanLayout[name]));
export const setField = (name: ScanField, to: I32) => i32Store(at(scan, scanLayout[name]), to);
export const part = (name: keyof typeof componentLayout) => i32Load(at(component, componentLayout[name]));
export const setPart = (name: keyof typeof componentLayout, to: I32) =>
  i32Store(at(component, componentLayout[name]), to);

export const firstBits = (howMany: Operand<'i32'>) =>
  i32WrapI64(i64ShrU(bits, i64Sub(64n, i64ExtendI32U(howMany))));
export const prefix = i32WrapI64(i64ShrU(bits, BigInt(64 - lookaheadBits)));
export const consume = (howMany: Operand<'i32'>) => [
  set(bits, i64Shl(bits, i64ExtendI32U(howMany))),
  set(count, i32Sub(count, howMany)),
];
/** Consumes as many bits as the low 6 bits of `wide` say. `wide` begins with `entry`, and a shift reads only 6 bits. */
export const consumeEntry = (wide: I64) => [
  set(bits, i64Shl(bits, wide)),
  set(count, i32Sub(count, i32And(entry, 63))),
];

/**
 * Fills `bits` to `fetchedBits` or more: takes as many whole bytes of the next eight as fit. Bytes stand in reverse order,
 * so one load has the next byte on top. Below its highest `count` bits, `bits` then holds bits of the following byte; the
 * next fetch sets the same bits again.
 */
export const fetch = [
  set(bits, i64Or(bits, i64ShrU(i64Load(i32Sub(position, 7)), i64ExtendI32U(count)))),
  set(position, i32Sub(position, i32ShrU(i32Sub(63, count), 3))),
  set(count, i32Or(count, fetchedBits)),
];

/** Address of entry `index`, where an entry has 2^`shift` bytes. */
const entryAddress = (index: I32, shift: number) => i32Add(table, i32Shl(index, shift));
export const directEntry = i32Load(at(entryAddress(prefix, 2), tableLayout.direct));
export const pairEntry = i64Load(at(entryAddress(prefix, 3), tableLayout.pairs));

/**
 * For codes longer than the look-ahead: length in bits 8 and up, symbol below.
 *
 * @see ITU-T T.81 F.2.2.3, figure F.16 (DECODE)
 */
const findLongSymbol = (giveUp: Label) => {
  const perLength = entryAddress(length, 2);
  const valueIndex = i32Add(i32Load(at(perLength, tableLayout.valueOffset)), code);
  return [
    set(length, lookaheadBits + 1),
    block('found', (found) =>
      loop('longer', (longer) => [
        set(code, firstBits(length)),
        branchIf(found, i32LeS(code, i32Load(at(perLength, tableLayout.maxCode)))),
        increase(length, 1),
        branchIf(longer, i32LeU(length, maxCodeLength)),
        branch(giveUp),
      ]),
    ),
    set(symbol, i32Or(i32Shl(length, 8), i32Load8U(at(i32Add(table, valueIndex), tableLayout.values)))),
  ];
};

/** Reads the next symbol of `table` into `symbol` and consumes its 1 to 16 bits. Gives up the MCU if there is no such code. */
export const readSymbol = (giveUp: Label) => [
  set(symbol, i32Load16U(at(entryAddress(prefix, 1), tableLayout.symbols))),
  when(i32Eqz(symbol), findLongSymbol(giveUp)),
  consume(i32ShrU(symbol, 8)),
  set(symbol, i32And(symbol, 255)),
];

/** Reads a signed value of `size` bits, 1 to 15. @see ITU-T T.81 F.2.2.1, figure F.12 (EXTEND) */
export const readValue = [
  set(value, firstBits(size)),
  consume(size),
  set(
    value,
    i32Add(
      value,
      i32And(i32ShrS(i32Sub(value, i32Shl(1, i32Sub(size, 1))), 31), i32Add(i32Shl(-1, size), 1)),
    ),
  ),
];

/** Reads the block's DC and stores it as the component's prediction. Fetches its bits, at most 31. @see ITU-T T.81 F.2.2.1 */
export const decodeDc = (giveUp: Label) => [
  set(table, part('dc')),
  fetch,
  set(entry, directEntry),
  when(
    entry,
    [consumeEntry(i64ExtendI32U(entry)), set(value, i32ShrS(entry, 16))],
    [readSymbol(giveUp), set(size, i32And(symbol, 15)), when(size, readValue, set(value, 0))],
  ),
  setPart('prediction', i32Add(part('prediction'), value)),
];
