import { branch, increase, loop, set, when } from '../../../lib/wasm-text/control.ts';
import { i32Locals, v128Local } from '../../../lib/wasm-text/expression.ts';
import { i32Add, i32GeU, i32LtU, i32Shl, i32Sub } from '../../../lib/wasm-text/integers.ts';
import { at, i32Load8U, v128Load, v128Store } from '../../../lib/wasm-text/memory.ts';
import { i8x16Swizzle } from '../../../lib/wasm-text/vectors.ts';
import { regions } from '../layout.ts';
import { state } from './state.ts';

/** Where the next byte goes; of a match: how far back and how long it is, where it is copied from and to. */
export const [output, distance, length, source, target] = i32Locals(
  'output',
  'distance',
  'length',
  'source',
  'target',
);
/** A short pattern, and how far a vector of it reaches in whole repetitions. */
const pattern = v128Local('pattern');
const [reach] = i32Locals('reach');
export const copyLocals = [distance, length, source, target, reach, pattern];

const vectorBytes = 16;

/** Vectors that may read what the one before wrote, but nothing that it did not. */
const copyFar = [
  v128Store(target, v128Load(source)),
  v128Store(at(target, vectorBytes), v128Load(at(source, vectorBytes))),
  loop('wide', (wide) =>
    when(i32LtU(i32Add(target, 2 * vectorBytes), output), [
      increase(target, 2 * vectorBytes),
      increase(source, 2 * vectorBytes),
      v128Store(target, v128Load(source)),
      v128Store(at(target, vectorBytes), v128Load(at(source, vectorBytes))),
      branch(wide),
    ]),
  ),
];

const copyNear = [
  set(
    pattern,
    i8x16Swizzle(v128Load(source), v128Load(at(i32Add(state, i32Shl(distance, 4)), regions.patterns))),
  ),
  set(reach, i32Load8U(at(i32Add(state, distance), regions.patterns))),
  loop('repeat', (repeat) => [
    v128Store(target, pattern),
    increase(target, reach),
    when(i32LtU(target, output), branch(repeat)),
  ]),
];

/** Copies `length` bytes from `distance` back; up to 31 bytes behind them are written too. */
export const copyMatch = [
  set(source, i32Sub(output, distance)),
  set(target, output),
  set(output, i32Add(output, length)),
  when(i32GeU(distance, vectorBytes), copyFar, copyNear),
];
