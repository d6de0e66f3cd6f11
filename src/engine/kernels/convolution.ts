import { callKernel } from './dot-kernel.ts';
import { panelChannels, scratch, tilePixels } from './layout.ts';
import { finishLocals, finishPixel, loadFinishConstants } from './requantize.ts';
import { add, field, get, i32, increase, loop, mul, set, toFunction } from './wat.ts';

/** Remembers where output pixel number `count` of the tile reads and writes. */
const notePixel = `
  (i32.store offset=${scratch.inputs} (i32.shl ${get('count')} (i32.const 2)) ${get('in')})
  (i32.store offset=${scratch.outputs} (i32.shl ${get('count')} (i32.const 2)) ${get('out')})
  (i32.store offset=${scratch.residuals} (i32.shl ${get('count')} (i32.const 2)) ${get('res')})
  ${increase('count', i32(1))}`;

/** Reduces the pixels of the tile and finishes each. */
const flushTile = `
  ${callKernel(tilePixels, 'i8', [get('w'), field('segments'), field('segmentLength'), field('segmentSkip'), get('bias')].join(' '))}
  ${loop(
    'm',
    get('count'),
    1,
    `${set('output', `(i32.load offset=${scratch.outputs} (i32.shl ${get('m')} (i32.const 2)))`)}
     ${set('residual', `(i32.load offset=${scratch.residuals} (i32.shl ${get('m')} (i32.const 2)))`)}
     ${finishPixel(
       `(v128.load offset=${scratch.accumulators} (i32.shl ${get('m')} (i32.const 5)))`,
       `(v128.load offset=${scratch.accumulators + 16} (i32.shl ${get('m')} (i32.const 5)))`,
     )}`,
  )}
  ${set('count', i32(0))}`;

/**
 * Direct convolution as an implicit matrix product: the kernel's rows are contiguous segments of the
 * padded NHWC input, so nothing is copied first. Weight panels outside, pixels inside: a panel (8
 * output channels) stays in the L1 cache while all pixels pass.
 */
export const convolution = toFunction({
  name: 'convolve',
  exported: true,
  params: ['c'],
  i32: [
    'n',
    'x',
    'y',
    'm',
    'w',
    'bias',
    'multiplier',
    'in',
    'out',
    'res',
    'rowIn',
    'rowOut',
    'rowRes',
    'count',
    'panel',
    'output',
    'residual',
    'residualFirst',
  ],
  v128: ['mul0', 'mul1', ...finishLocals],
  body: `
  ${loadFinishConstants}
  ${set('residualFirst', field('residualFirst'))}
  ${set('w', field('weights'))} ${set('bias', field('bias'))} ${set('multiplier', field('multiplier'))}
  ${set('panel', mul(mul(field('segments'), field('segmentLength')), i32(panelChannels)))}
  ${loop(
    'n',
    field('channels'),
    panelChannels,
    `${set('mul0', `(v128.load ${get('multiplier')})`)}
     ${set('mul1', `(v128.load offset=16 ${get('multiplier')})`)}
     ${set('rowIn', field('input'))}
     ${set('rowOut', add(field('output'), `(i32.shl ${get('n')} (i32.const 1))`))}
     ${set('rowRes', field('residual'))}
     (if ${get('rowRes')} (then ${set('rowRes', add(get('rowRes'), `(i32.shl ${get('n')} (i32.const 1))`))}))
     ${loop(
       'y',
       field('height'),
       1,
       `${set('in', get('rowIn'))} ${set('out', get('rowOut'))} ${set('res', get('rowRes'))}
        ${loop(
          'x',
          field('width'),
          1,
          `${notePixel}
           (if (i32.eq ${get('count')} ${i32(tilePixels)}) (then ${flushTile}))
           ${increase('in', field('inputStepX'))}
           ${increase('out', field('outputStepX'))}
           (if ${get('res')} (then ${increase('res', field('residualStepX'))}))`,
        )}
        ${increase('rowIn', field('inputStepY'))}
        ${increase('rowOut', field('outputStepY'))}
        (if ${get('rowRes')} (then ${increase('rowRes', field('residualStepY'))}))`,
     )}
     (if ${get('count')} (then ${flushTile}))
     ${increase('w', get('panel'))}
     ${increase('bias', i32(panelChannels * 4))}
     ${increase('multiplier', i32(panelChannels * 4))}`,
  )}`,
});
