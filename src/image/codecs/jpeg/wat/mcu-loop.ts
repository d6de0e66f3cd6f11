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

/** Runs `body` for each component of the scan; `component` has its address. */
const eachComponent = (body: Body) => [
  set(component, i32Add(scan, scanLayout.components)),
  set(componentsEnd, i32Add(component, i32Mul(field('componentCount'), scanLayout.componentBytes))),
  loop('next_component', (nextComponent) => [
    body,
    increase(component, scanLayout.componentBytes),
    branchIf(nextComponent, i32LtU(component, componentsEnd)),
  ]),
];

/** Runs `body` for each block of an MCU; `x` is its index in the row of blocks at address `row`. */
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
  /** Fields of the scan that become locals at the start, and those that are written back at the end. */
  readonly reads?: readonly (keyof typeof scanLocals)[];
  readonly writes?: readonly (keyof typeof scanLocals)[];
  /** Decodes MCU `mcu`; gives it up by a branch to the label. */
  readonly decodeMcu: (giveUp: Label) => Body;
  /**
   * `save` runs before an MCU, and `restore` after an MCU that was given up. Beside the position in the data they keep
   * everything on which decoding the MCU again depends. They need not keep samples and coefficients, because these are
   * written again before they are read.
   */
  readonly save: Body;
  readonly restore: Body;
}

/** Decodes from `mcu` on, and sets `givenUp` to whether it gave up an MCU. */
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
        // If more bits are missing at the end than are left in `bits`, the MCU has read behind the end.
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
 * Makes a function that decodes MCUs of one row, from `mcu` up to `mcuEnd`, as src/image/codecs/jpeg/scan.ts does. It
 * stops at `stop`. It gives up an MCU that has a code which does not exist, or that needs bits behind the segment's end,
 * because only TypeScript knows what such data means. It returns 1 if `mcu` was given up.
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
