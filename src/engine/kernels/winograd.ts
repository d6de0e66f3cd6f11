import { add, get, i32, increase, loop, mul, repeat, set, shl, toFunction } from '../../lib/wasm-text/wat.ts';
import { kernelTraits, panelChannels, scratch, winogradSkew } from '../kernel-layout.ts';
import type { Activations } from './activations.ts';
import { field } from './descriptor-fields.ts';
import { accumulator, dotLoop, dotLoopLocals, pointer, widenedOperands } from './dot-loop.ts';
import { finishLocals, loadResultConstants, loadSumConstants, storeResult, storeSum } from './requantize.ts';
import { transformInput, transformOutput, transformPanel } from './winograd-transforms.ts';
import { tilesOf2, tilesOf4, type WinogradVariant } from './winograd-variants.ts';

/** 3 x 3 convolutions of stride 1 with fewer products, and the same sums: see winograd-variants.ts. */

/** Its products are int16's on every kernel set. */
const { tilePixels } = kernelTraits.plain;
/** Bytes of 8 sums. */
const sumsBytes = panelChannels * 4;

const productsName = (tiles: number) => `winograd_products_${tiles}`;

/** `runs` times `tiles` tiles of one position, times one panel of it: sums to `m`. */
function multiply(tiles: number): string {
  const { i32: ints, v128 } = dotLoopLocals(tiles);
  return toFunction({
    name: productsName(tiles),
    params: ['panel', 'p', 'm', 'length', 'runs'],
    i32: [...ints, 'w', 'tile'],
    v128,
    body: `
    ${set('tile', shl(get('length'), 1))}
    (loop $run
      ${repeat(tiles, (tile) => `${set(pointer(tile), get('p'))} ${increase('p', get('tile'))}`)}
      ${set('w', get('panel'))}
      ${dotLoop(tiles, widenedOperands, { bias: i32(scratch.zeros), length: get('length') })}
      ${repeat(tiles * 2, (index) => `(v128.store offset=${index * 16} ${get('m')} ${get(accumulator(index >> 1, index & 1))})`)}
      ${increase('m', i32(tiles * sumsBytes))}
      (br_if $run (local.tee $runs (i32.sub ${get('runs')} (i32.const 1)))))`,
  });
}

const divideUp = (value: string, by: string) =>
  `(i32.div_u (i32.sub (i32.add ${value} ${by}) (i32.const 1)) ${by})`;

/** `runs` times as many tiles as local `size` says, 0 to tilePixels; `p`, `m` move behind them. */
const multiplyBy = (size: string, runs: string) =>
  `${Array.from({ length: tilePixels }, (_, index) => index + 1).reduce(
    (rest, tiles) =>
      `(if (i32.eq ${get(size)} ${i32(tiles)})
        (then (call $${productsName(tiles)} ${['w', 'p', 'm'].map(get).join(' ')} ${field('inputChannels')} ${runs}))
        (else ${rest}))`,
    '(nop)',
  )}
  ${increase('p', mul(mul(runs, get(size)), shl(field('inputChannels'), 1)))}
  ${increase('m', mul(mul(runs, get(size)), i32(sumsBytes)))}`;

/** Adds the bias to the sums of pixel (`oy`, `ox`) at `m`, and stores it as any convolution's. */
const storePixel = (activations: Activations) => {
  const address = (base: 'output' | 'residual') =>
    add(
      add(field(base), mul(get('n'), i32(activations.bytes))),
      add(mul(get('oy'), field(`${base}StepY`)), mul(get('ox'), field(`${base}StepX`))),
    );
  const sums = [0, 1].map(
    (half) => `(i32x4.add (v128.load offset=${half * 16} ${get('at')}) ${get(`bias${half}`)})`,
  ) as [string, string];
  return `
  ${set('output', address('output'))}
  (if ${get('hasResidual')}
    (then ${storeSum(activations, sums, get('output'), address('residual'))})
    (else ${storeResult(activations, sums, get('output'))}))`;
};

/** One block of rows of tiles: its inputs transformed, then for each weight panel products, sums and outputs. */
function convolve(variant: WinogradVariant, activations: Activations): string {
  const { side } = variant;
  const positions = (side + 2) ** 2;
  const tilesAlong = (axis: 'width' | 'height') =>
    `(i32.div_u ${add(field(axis), i32(side - 1))} ${i32(side)})`;
  /** As far as the tile reaches within the output. */
  const within = (axis: 'width' | 'height', start: string) => {
    const rest = `(i32.sub ${field(axis)} ${start})`;
    return `(select ${i32(side)} ${rest} (i32.lt_s ${i32(side)} ${rest}))`;
  };
  return toFunction({
    name: `convolve_winograd_${side}`,
    exported: true,
    params: ['c'],
    i32: [
      'firstRow',
      'rows',
      'tilesX',
      'tilesY',
      'tiles',
      'n',
      'f',
      'size',
      'runs',
      'rest',
      'p',
      'panel',
      'w',
      'm',
      'at',
      'plane',
      'ty',
      'tx',
      'y',
      'x',
      'endY',
      'endX',
      'oy',
      'ox',
      'output',
      'hasResidual',
      'residualFirst',
      'multiplier',
    ],
    v128: ['mul0', 'mul1', 'bias0', 'bias1', ...finishLocals],
    body: `
    ${loadResultConstants} ${loadSumConstants}
    ${set('hasResidual', field('residual'))}
    ${set('residualFirst', field('residualFirst'))}
    ${set('tilesX', tilesAlong('width'))}
    ${set('tilesY', tilesAlong('height'))}
    ${loop(
      'firstRow',
      get('tilesY'),
      field('tileRows'),
      `${set('rows', `(select ${field('tileRows')} (i32.sub ${get('tilesY')} ${get('firstRow')}) (i32.lt_s ${field('tileRows')} (i32.sub ${get('tilesY')} ${get('firstRow')})))`)}
       ${set('tiles', mul(get('rows'), get('tilesX')))}
       ${set('size', divideUp(get('tiles'), divideUp(get('tiles'), i32(tilePixels))))}
       ${set('runs', `(i32.div_u ${get('tiles')} ${get('size')})`)}
       ${set('rest', `(i32.rem_u ${get('tiles')} ${get('size')})`)}
       ${set('plane', add(mul(get('tiles'), i32(sumsBytes)), i32(winogradSkew)))}
       (call $winograd_input_${side} ${get('c')} ${get('firstRow')} ${get('rows')} ${get('tilesX')})
       ${set('panel', field('weights'))}
       ${loop(
         'n',
         field('channels'),
         panelChannels,
         `(call $winograd_panel_${side} ${get('panel')} ${field('panel')} ${field('inputChannels')})
          ${increase('panel', mul(field('inputChannels'), i32(9 * panelChannels)))}
          ${set('w', field('panel'))} ${set('p', field('transformed'))} ${set('m', field('products'))}
          ${loop(
            'f',
            i32(positions),
            1,
            `${multiplyBy('size', get('runs'))}
             ${multiplyBy('rest', i32(1))}
             ${increase('p', i32(winogradSkew))} ${increase('m', i32(winogradSkew))}
             ${increase('w', add(mul(field('inputChannels'), i32(panelChannels * 2)), i32(winogradSkew)))}`,
          )}
          ${set('multiplier', add(field('multiplier'), shl(get('n'), 2)))}
          ${set('mul0', `(v128.load ${get('multiplier')})`)} ${set('mul1', `(v128.load offset=16 ${get('multiplier')})`)}
          ${set('multiplier', add(field('bias'), shl(get('n'), 2)))}
          ${set('bias0', `(v128.load ${get('multiplier')})`)} ${set('bias1', `(v128.load offset=16 ${get('multiplier')})`)}
          ${set('m', field('products'))}
          ${loop(
            'ty',
            get('rows'),
            1,
            loop(
              'tx',
              get('tilesX'),
              1,
              `(call $winograd_output_${side} ${get('m')} ${get('plane')})
               ${set('oy', mul(add(get('firstRow'), get('ty')), i32(side)))}
               ${set('endY', within('height', get('oy')))}
               ${loop(
                 'y',
                 get('endY'),
                 1,
                 `
                 ${set('at', add(get('m'), mul(mul(get('y'), i32(side)), get('plane'))))}
                 ${set('ox', mul(get('tx'), i32(side)))}
                 ${set('endX', within('width', get('ox')))}
                 ${loop('x', get('endX'), 1, `${storePixel(activations)} ${increase('at', get('plane'))} ${increase('ox', i32(1))}`)}
                 ${increase('oy', i32(1))}`,
               )}
               ${increase('m', i32(sumsBytes))}`,
            ),
          )}`,
       )}`,
    )}`,
  });
}

const variant = (winograd: WinogradVariant, activations: Activations) => [
  transformInput(winograd, activations),
  transformPanel(winograd),
  transformOutput(winograd),
  convolve(winograd, activations),
];

export const winograd = (activations: Activations) =>
  [
    ...Array.from({ length: tilePixels }, (_, index) => multiply(index + 1)),
    ...variant(tilesOf2, activations),
    ...variant(tilesOf4, activations),
  ].join('\n');
