import { block, branch, branchIf, countUp, increase, loop, set } from '../../lib/wasm-text/control.ts';
import { type I32, i32Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32GeU } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Store } from '../../lib/wasm-text/memory.ts';
import { f32x4ConvertI32x4S, f32x4Mul, i32x4Splat } from '../../lib/wasm-text/vectors.ts';
import { panelChannels } from '../kernel-layout.ts';
import type { Activations } from './activations.ts';
import { accumulator, dotLoop, dotLoopLocals, pointer, weightPointer } from './dot-loop.ts';

const [source, target] = i32Locals('source', 'target');
const [bias, multiplier, classes, length, firstClass] = i32Locals(
  'bias',
  'multiplier',
  'classes',
  'length',
  'firstClass',
);

/** The classifier: int32 sums to FP32 logits, one multiplier a class. Weights in panels like a 1 x 1 convolution's. */
export function classify(activations: Activations) {
  const panelBytes = panelChannels * 4;
  const storeLogits = (vector: number) => {
    const sums = f32x4ConvertI32x4S(accumulator(0, vector));
    return v128Store(at(target, vector * 16), f32x4Mul(sums, v128Load(at(multiplier, vector * 16))));
  };
  return wasmFunction({
    name: 'classify',
    exported: true,
    params: [source, weightPointer, bias, multiplier, target, classes, length],
    locals: [...dotLoopLocals(1), firstClass],
    body: countUp(firstClass, classes, panelChannels, [
      set(pointer(0), source),
      dotLoop(1, activations.singleOperands, { bias, length }),
      storeLogits(0),
      storeLogits(1),
      [bias, multiplier, target].map((address) => increase(address, panelBytes)),
    ]),
  });
}

const [top, inside, edge, height, bottom, value] = i32Locals(
  'top',
  'inside',
  'edge',
  'height',
  'bottom',
  'value',
);
const [row, end] = i32Locals('row', 'end');

/** Writes `value` from `target` on, and up to 15 bytes past the run's end: what lies there is written later. */
const fill = (bytes: I32) => [
  set(end, i32Add(target, bytes)),
  block('full', (full) =>
    loop('fill', (next) => [
      branchIf(full, i32GeU(target, end)),
      v128Store(target, i32x4Splat(value)),
      increase(target, 16),
      branch(next),
    ]),
  ),
  set(target, end),
];

/**
 * The border around an activation. Between two rows the right and the left border are one run of
 * memory: `edge` bytes; a row's interior has `inside`. All sizes are in bytes; `value` fills four of them.
 */
export const fillBorder = wasmFunction({
  name: 'fill_border',
  exported: true,
  params: [target, top, inside, edge, height, bottom, value],
  locals: [row, end],
  body: [
    fill(top),
    increase(height, -1),
    countUp(row, height, 1, [increase(target, inside), fill(edge)]),
    increase(target, inside),
    fill(bottom),
  ],
});
