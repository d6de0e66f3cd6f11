import {
  block,
  branch,
  branchIf,
  increase,
  type Label,
  loop,
  set,
} from '../../../../lib/wasm-text/control.ts';
import { type Body, i32Local, i32Locals, type Local } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32GeU,
  i32GtS,
  i32LtU,
  i32Mul,
  i32Shl,
  i32Sub,
} from '../../../../lib/wasm-text/integers.ts';
import { at, i32Load, i64Load, i64Store } from '../../../../lib/wasm-text/memory.ts';
import { componentLayout, scanLayout } from '../wasm/layout.ts';
import { field, part, setField, setPart } from './entropy.ts';
import {
  bits,
  code,
  component,
  entry,
  length,
  next,
  pair,
  row,
  savedBits,
  scan,
  scanLocals,
  size,
  symbol,
  table,
  value,
  x,
  xEnd,
} from './scan-locals.ts';

const { count, position, end, stop, mcu, mcuEnd } = scanLocals;
const [savedCount, savedPosition, givenUp] = i32Locals('savedCount', 'savedPosition', 'givenUp');
const componentsEnd = i32Local('componentsEnd');
/** Rows and columns of blocks that a component has in an MCU, and the row that is decoded. */
const [v, vertical, horizontal] = i32Locals('v', 'vertical', 'horizontal');

/** `body` for each component of the scan, in `component`. */
const eachComponent = (body: Body) => [
  set(component, i32Add(scan, scanLayout.components)),
  set(componentsEnd, i32Add(component, i32Mul(field('componentCount'), scanLayout.componentBytes))),
  loop('next_component', (nextComponent) => [
    body,
    increase(component, scanLayout.componentBytes),
    branchIf(nextComponent, i32LtU(component, componentsEnd)),
  ]),
];

/** `body` for each block of an MCU: `x` is its index in the row of blocks of which `row` is the address. */
export const eachBlock = (body: Body) =>
  eachComponent([
    set(v, 0),
    set(vertical, part('vertical')),
    set(horizontal, part('horizontal')),
    loop('next_v', (nextV) => [
      set(row, i32Load(at(i32Add(component, i32Shl(v, 2)), componentLayout.rows))),
      set(x, i32Mul(mcu, horizontal)),
      set(xEnd, i32Add(x, horizontal)),
      loop('next_h', (nextH) => [body, increase(x, 1), branchIf(nextH, i32LtU(x, xEnd))]),
      increase(v, 1),
      branchIf(nextV, i32LtU(v, vertical)),
    ]),
  ]);

export interface ScanFunction {
  readonly name: string;
  /** Locals of its own. */
  readonly locals: readonly Local<'i32' | 'i64'>[];
  /** Fields of the scan that become locals in the beginning, and those that are written back. */
  readonly reads?: readonly (keyof typeof scanLocals)[];
  readonly writes?: readonly (keyof typeof scanLocals)[];
  /** Decodes MCU `mcu`; gives it up by a branch to the label. */
  readonly decodeMcu: (giveUp: Label) => Body;
  /**
   * Before an MCU, and after one that was given up, beside the place in the data: whatever decides how TypeScript
   * decodes it again. Samples and coefficients that were written need not be restored, for what is given up ends in an
   * error before they are read.
   */
  readonly save: Body;
  readonly restore: Body;
}

/** Decodes from `mcu` on; leaves in `givenUp` whether it gave up an MCU. */
const decodeMcus = ({ decodeMcu, save, restore }: ScanFunction) =>
  block('done', (done) =>
    loop('next_mcu', (nextMcu) => [
      branchIf(done, i32GeU(mcu, mcuEnd)),
      branchIf(done, i32LtU(position, stop)),
      set(savedBits, bits),
      set(savedCount, count),
      set(savedPosition, position),
      save,
      block('give_up', (giveUp) => [
        decodeMcu(giveUp),
        // As many bits as were taken behind the end must still be there.
        branchIf(giveUp, i32GtS(i32Shl(i32Sub(i32Sub(end, 1), position), 3), count)),
        increase(mcu, 1),
        branch(nextMcu),
      ]),
      set(bits, savedBits),
      set(count, savedCount),
      set(position, savedPosition),
      restore,
      set(givenUp, 1),
    ]),
  );

/**
 * Decodes MCUs of one row, from `mcu` up to `mcuEnd`: what src/image/codecs/jpeg/scan.ts does. It goes on to `stop`, and
 * gives up, before it, an MCU in which a code is found that does not exist, or that needs bits behind the segment's
 * end: what such data means is decided in TypeScript. It returns 1 if `mcu` was given up.
 */
export function toScanFunction(parts: ScanFunction) {
  const { name, locals, reads = [], writes = [] } = parts;
  const copied = ['count', 'position', 'end', 'stop', 'mcu', 'mcuEnd', ...reads] as const;
  return wasmFunction({
    name,
    exported: true,
    params: [scan],
    locals: [
      ...[count, position, end, stop, mcu, mcuEnd, savedCount, savedPosition, givenUp],
      ...[component, componentsEnd, v, vertical, horizontal, x, xEnd, row],
      ...[table, symbol, size, value, length, code, entry, next],
      ...reads.map((read) => scanLocals[read]),
      ...[bits, savedBits, pair],
      ...locals,
    ],
    body: [
      copied.map((read) => set(scanLocals[read], field(read))),
      set(bits, i64Load(at(scan, scanLayout.bits))),
      decodeMcus(parts),
      i64Store(at(scan, scanLayout.bits), bits),
      (['count', 'position', 'mcu', ...writes] as const).map((write) => setField(write, scanLocals[write])),
    ],
    result: givenUp,
  });
}

export const savePredictions = eachComponent(setPart('savedPrediction', part('prediction')));
export const restorePredictions = eachComponent(setPart('prediction', part('savedPrediction')));
