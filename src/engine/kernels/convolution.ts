import { add, get, i32, increase, loop, mul, repeat, set, toFunction } from '../../lib/wasm-text/wat.ts';
import {
  blockPixels,
  type KernelTraits,
  panelChannels,
  pixelEntryBytes,
  pixelTable,
} from '../kernel-layout.ts';
import type { Activations } from './activations.ts';
import { field } from './descriptor-fields.ts';
import { accumulator, dotLoop, dotLoopLocals, pointer } from './dot-loop.ts';
import { finishLocals, loadResultConstants, loadSumConstants, storeResult, storeSum } from './requantize.ts';

const shl2 = (value: string) => `(i32.shl ${value} (i32.const 2))`;
const tileName = (pixels: number) => `tile_${pixels}`;

/** The pixels whose table entries begin at `at`, times the panel at `w` of the channels from `n`: reduced, finished, stored. */
function tile(pixels: number, activations: Activations): string {
  const { i32: ints, v128 } = dotLoopLocals(pixels);
  const entry = (pixel: number, part: keyof typeof pixelTable) =>
    `(i32.load offset=${pixel * pixelEntryBytes + pixelTable[part]} ${get('at')})`;
  const sums = (pixel: number) =>
    [get(accumulator(pixel, 0)), get(accumulator(pixel, 1))] as [string, string];
  const target = (pixel: number, part: 'output' | 'residual') => add(entry(pixel, part), get('offset'));
  return toFunction({
    name: tileName(pixels),
    params: ['c', 'w', 'at', 'n'],
    i32: [...ints, 'offset', 'multiplier', 'skip', 'residualFirst'],
    v128: [...v128, 'mul0', 'mul1', ...finishLocals],
    body: `
    ${repeat(pixels, (pixel) => set(pointer(pixel), entry(pixel, 'input')))}
    ${set('segments', field('segments'))}
    ${set('skip', field('segmentSkip'))}
    ${dotLoop(pixels, activations.operands, {
      bias: add(field('bias'), shl2(get('n'))),
      length: field('segmentLength'),
      skip: get('skip'),
    })}
    ${set('multiplier', add(field('multiplier'), shl2(get('n'))))}
    ${set('mul0', `(v128.load ${get('multiplier')})`)}
    ${set('mul1', `(v128.load offset=16 ${get('multiplier')})`)}
    ${set('offset', mul(get('n'), i32(activations.bytes)))}
    (if ${field('residual')}
      (then
        ${loadSumConstants}
        ${set('residualFirst', field('residualFirst'))}
        ${repeat(pixels, (pixel) => storeSum(activations, sums(pixel), target(pixel, 'output'), target(pixel, 'residual')))})
      (else
        ${loadResultConstants}
        ${repeat(pixels, (pixel) => storeResult(activations, sums(pixel), target(pixel, 'output')))}))`,
  });
}

/** Calls the tile for `$size` pixels, 1 to `most`. */
function callTile(most: number): string {
  // The one that is asked for first is the full tile.
  const cases = Array.from({ length: most }, (_, index) => index + 1);
  return cases.reduce(
    (rest, pixels) =>
      `(if (i32.eq ${get('size')} ${i32(pixels)})
        (then (call $${tileName(pixels)} ${get('c')} ${get('w')} ${get('at')} ${get('n')})) (else ${rest}))`,
    '(nop)',
  );
}

/** Notes the addresses of the next `$count` pixels, from where the last block ended. */
const fillTable = `
  ${set('at', field('pixels'))}
  ${loop(
    'i',
    get('count'),
    1,
    `(i32.store offset=${pixelTable.input} ${get('at')} ${get('in')})
     (i32.store offset=${pixelTable.output} ${get('at')} ${get('out')})
     (i32.store offset=${pixelTable.residual} ${get('at')} ${get('res')})
     ${increase('at', i32(pixelEntryBytes))}
     ${increase('x', i32(1))}
     (if (i32.lt_s ${get('x')} ${field('width')})
       (then
         ${increase('in', field('inputStepX'))}
         ${increase('out', field('outputStepX'))}
         ${increase('res', field('residualStepX'))})
       (else
         ${set('x', i32(0))}
         ${set('in', increaseRow('rowIn', 'inputStepY'))}
         ${set('out', increaseRow('rowOut', 'outputStepY'))}
         ${set('res', increaseRow('rowRes', 'residualStepY'))}))`,
  )}`;

function increaseRow(row: string, step: 'inputStepY' | 'outputStepY' | 'residualStepY'): string {
  return `(local.tee $${row} ${add(get(row), field(step))})`;
}

/**
 * Direct convolution as an implicit matrix product: the kernel's rows are contiguous segments of the
 * padded NHWC input, so nothing is copied first. Weight panels outside, pixels inside: a panel (8
 * output channels) stays in the L1 cache while all pixels of a block pass. A tile of one or two pixels
 * costs nearly as much as a full one, so that 7 or 8 pixels at the end become two halves.
 */
function convolve({ tilePixels, widensPanels }: KernelTraits): string {
  const panelBytes = mul(mul(field('segments'), field('segmentLength')), i32(panelChannels));
  const panel = widensPanels
    ? `${set('w', field('panel'))} (call $widen_panel ${get('panel')} ${get('w')} ${panelBytes})`
    : set('w', get('panel'));
  return toFunction({
    name: 'convolve',
    exported: true,
    params: ['c'],
    i32: [
      'n',
      'x',
      'i',
      'panel',
      'w',
      'in',
      'out',
      'res',
      'rowIn',
      'rowOut',
      'rowRes',
      'count',
      'left',
      'at',
      'rest',
      'size',
    ],
    body: `
  ${set('in', `(local.tee $rowIn ${field('input')})`)}
  ${set('out', `(local.tee $rowOut ${field('output')})`)}
  ${set('res', `(local.tee $rowRes ${field('residual')})`)}
  ${set('left', mul(field('height'), field('width')))}
  (loop $block
    ${set('count', `(select ${i32(blockPixels)} ${get('left')} (i32.lt_s ${i32(blockPixels)} ${get('left')}))`)}
    ${fillTable}
    ${set('panel', field('weights'))}
    ${loop(
      'n',
      field('channels'),
      panelChannels,
      `${panel}
       ${set('at', field('pixels'))}
       ${set('rest', get('count'))}
       (loop $tiles
         ${set('size', i32(tilePixels))}
         (if (i32.lt_s ${get('rest')} ${i32(tilePixels + 3)}) (then
           (if (i32.gt_s ${get('rest')} ${i32(tilePixels)})
             (then ${set('size', `(i32.shr_u ${add(get('rest'), i32(1))} (i32.const 1))`)})
             (else ${set('size', get('rest'))}))))
         ${callTile(tilePixels)}
         ${increase('at', mul(get('size'), i32(pixelEntryBytes)))}
         (br_if $tiles (local.tee $rest (i32.sub ${get('rest')} ${get('size')}))))
       ${increase('panel', panelBytes)}`,
    )}
    (br_if $block ${`(local.tee $left (i32.sub ${get('left')} ${get('count')}))`}))`,
  });
}

export function convolution(activations: Activations, traits: KernelTraits): string {
  const tiles = Array.from({ length: traits.tilePixels }, (_, index) => tile(index + 1, activations));
  return [...tiles, convolve(traits)].join('\n');
}
