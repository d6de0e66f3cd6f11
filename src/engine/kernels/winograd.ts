import { activationsOf } from './activations.ts';
import { accumulator, dotLoop, dotLoopLocals, pointer, widenedOperands } from './dot-loop.ts';
import { kernelTraits, panelChannels, scratch } from './layout.ts';
import { finishLocals, loadResultConstants, loadSumConstants, storeResult, storeSum } from './requantize.ts';
import { add, field, get, i32, increase, loop, mul, repeat, set, toFunction } from './wat.ts';

/**
 * Winograd F(2x2, 3x3): 16 products for 4 outputs instead of 36, in integers and so exactly. The
 * weights are transformed with 2G instead of G, which keeps them whole; the results are then 4 times
 * the true sums, and a quarter of the multiplier undoes that without changing a bit.
 *
 * @see Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2016), section 4.1
 */

const activations = activationsOf.plain;
const { tilePixels } = kernelTraits.plain;

const shl = (value: string, by: number) => `(i32.shl ${value} ${i32(by)})`;

/** B^T d B along one axis, of four int16 vectors. */
const inputTransform = (d: readonly string[]) => [
  `(i16x8.sub ${d[0]} ${d[2]})`,
  `(i16x8.add ${d[1]} ${d[2]})`,
  `(i16x8.sub ${d[2]} ${d[1]})`,
  `(i16x8.sub ${d[1]} ${d[3]})`,
];

const inputName = (y: number, x: number) => `d${y}${x}`;

/** Tiles of a block of rows: 4 x 4 inputs each to V[16][tiles][channels]. */
const transformInput = toFunction({
  name: 'winograd_input',
  params: ['c', 'firstRow', 'rows', 'tilesX'],
  i32: ['ty', 'tx', 'k', 'd', 'v', 'plane', 'row'],
  v128: Array.from({ length: 16 }, (_, index) => inputName(index >> 2, index & 3)),
  body: `
  ${set('plane', mul(mul(mul(get('rows'), get('tilesX')), field('inputChannels')), i32(2)))}
  ${set('row', field('inputRowBytes'))}
  ${set('v', field('transformed'))}
  ${loop(
    'ty',
    get('rows'),
    1,
    loop(
      'tx',
      get('tilesX'),
      1,
      `${set('d', add(field('input'), add(mul(shl(add(get('firstRow'), get('ty')), 1), get('row')), mul(shl(get('tx'), 1), shl(field('inputChannels'), 1)))))}
       ${loop(
         'k',
         shl(field('inputChannels'), 1),
         16,
         `${repeat(4, (y) => {
           const at = (x: number) =>
             `(v128.load ${add(add(get('d'), get('k')), add(mul(get('row'), i32(y)), mul(shl(field('inputChannels'), 1), i32(x))))})`;
           const loads = repeat(4, (x) => set(inputName(y, x), at(x)));
           const [a, b, c, e] = inputTransform([0, 1, 2, 3].map((x) => get(inputName(y, x)))) as [
             string,
             string,
             string,
             string,
           ];
           // All four are computed before any is overwritten: the stack holds them meanwhile.
           return `${loads} ${a} ${b} ${c} ${e}
             (local.set $${inputName(y, 3)}) (local.set $${inputName(y, 2)}) (local.set $${inputName(y, 1)}) (local.set $${inputName(y, 0)})`;
         })}
         ${repeat(4, (x) => {
           const column = inputTransform([0, 1, 2, 3].map((y) => get(inputName(y, x))));
           return repeat(
             4,
             (y) =>
               `(v128.store ${add(add(get('v'), get('k')), mul(get('plane'), i32(y * 4 + x)))} ${column[y]})`,
           );
         })}`,
       )}
       ${increase('v', shl(field('inputChannels'), 1))}`,
    ),
  )}`,
});

const product = (plane: number, half: number) =>
  `(v128.load offset=${half * 16} ${add(get('m'), mul(get('plane'), i32(plane)))})`;

/** A^T M A for 4 channels of one tile: outputs y00, y01, y10, y11, bias included, 4 times the sums. */
const outputTransform = (half: number) => {
  const rows = [0, 1].map((row) =>
    [0, 1, 2, 3].map((x) => {
      const [m0, m1, m2, m3] = [0, 1, 2, 3].map((y) => product(y * 4 + x, half));
      const name = `t${row}${x}`;
      return row === 0
        ? set(name, `(i32x4.add ${m0} (i32x4.add ${m1} ${m2}))`)
        : set(name, `(i32x4.sub (i32x4.sub ${m1} ${m2}) ${m3})`);
    }),
  );
  const bias = get(`bias${half}`);
  return `${rows.flat().join('\n')}
  ${[0, 1]
    .map(
      (row) => `
    ${set(`y${row}0${half}`, `(i32x4.add (i32x4.add ${get(`t${row}0`)} ${bias}) (i32x4.add ${get(`t${row}1`)} ${get(`t${row}2`)}))`)}
    ${set(`y${row}1${half}`, `(i32x4.sub (i32x4.add ${get(`t${row}1`)} ${bias}) (i32x4.add ${get(`t${row}2`)} ${get(`t${row}3`)}))`)}`,
    )
    .join('\n')}`;
};

const quarter = '(v128.const f32x4 0.25 0.25 0.25 0.25)';

const storeOutput = (row: number, column: number) => `
  ${set('oy', add(shl(add(get('firstRow'), get('ty')), 1), i32(row)))}
  ${set('ox', add(shl(get('tx'), 1), i32(column)))}
  (if (i32.and (i32.lt_s ${get('oy')} ${field('height')}) (i32.lt_s ${get('ox')} ${field('width')})) (then
    ${set('output', add(add(field('output'), shl(get('n'), 1)), add(mul(get('oy'), field('outputStepY')), mul(get('ox'), field('outputStepX')))))}
    ${set('residual', field('residual'))}
    (if ${get('residual')} (then
      ${set('residual', add(add(get('residual'), shl(get('n'), 1)), add(mul(get('oy'), field('residualStepY')), mul(get('ox'), field('residualStepX')))))}))
    (if ${get('residual')}
      (then ${storeSum(activations, sums(row, column), get('output'), get('residual'))})
      (else ${storeResult(activations, sums(row, column), get('output'))}))))`;

const sums = (row: number, column: number) =>
  [get(`y${row}${column}0`), get(`y${row}${column}1`)] as [string, string];

const productsName = (tiles: number) => `winograd_products_${tiles}`;

/** `runs` times `tiles` tiles of one of the 16 planes, times one panel: sums to `m`. */
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
      ${increase('m', i32(tiles * panelChannels * 4))}
      (br_if $run (local.tee $runs (i32.sub ${get('runs')} (i32.const 1)))))`,
  });
}

const multiplyArgs = (runs: string) => [get('w'), get('p'), get('m'), field('inputChannels'), runs].join(' ');

const divideUp = (value: string, by: string) =>
  `(i32.div_u (i32.sub (i32.add ${value} ${by}) (i32.const 1)) ${by})`;

/** `runs` times as many tiles as local `size` says, 0 to tilePixels. */
const multiplyBy = (size: string, runs: string) =>
  Array.from({ length: tilePixels }, (_, index) => index + 1).reduce(
    (rest, tiles) =>
      `(if (i32.eq ${get(size)} ${i32(tiles)})
      (then (call $${productsName(tiles)} ${multiplyArgs(runs)})) (else ${rest}))`,
    '(nop)',
  );

/** One block of tile rows: input transform, then for each weight panel 16 products and the output transform. */
const convolve = toFunction({
  name: 'convolve_winograd',
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
    'w',
    'm',
    'plane',
    'ty',
    'tx',
    'oy',
    'ox',
    'output',
    'residual',
    'residualFirst',
    'multiplier',
  ],
  v128: [
    'mul0',
    'mul1',
    'bias0',
    'bias1',
    ...[0, 1].flatMap((row) => [0, 1, 2, 3].map((x) => `t${row}${x}`)),
    ...[0, 1].flatMap((row) => [0, 1].flatMap((column) => [0, 1].map((h) => `y${row}${column}${h}`))),
    ...finishLocals,
  ],
  body: `
  ${loadResultConstants} ${loadSumConstants}
  ${set('residualFirst', field('residualFirst'))}
  ${set('tilesX', `(i32.shr_u ${add(field('width'), i32(1))} (i32.const 1))`)}
  ${set('tilesY', `(i32.shr_u ${add(field('height'), i32(1))} (i32.const 1))`)}
  ${loop(
    'firstRow',
    get('tilesY'),
    field('tileRows'),
    `${set('rows', `(select ${field('tileRows')} (i32.sub ${get('tilesY')} ${get('firstRow')}) (i32.lt_s ${field('tileRows')} (i32.sub ${get('tilesY')} ${get('firstRow')})))`)}
     ${set('tiles', mul(get('rows'), get('tilesX')))}
     ${set('size', divideUp(get('tiles'), divideUp(get('tiles'), i32(tilePixels))))}
     ${set('runs', `(i32.div_u ${get('tiles')} ${get('size')})`)}
     ${set('rest', `(i32.rem_u ${get('tiles')} ${get('size')})`)}
     ${set('plane', mul(get('tiles'), i32(panelChannels * 4)))}
     (call $winograd_input ${get('c')} ${get('firstRow')} ${get('rows')} ${get('tilesX')})
     ${set('w', field('weights'))}
     ${loop(
       'n',
       field('channels'),
       panelChannels,
       `${set('p', field('transformed'))} ${set('m', field('products'))}
        ${loop(
          'f',
          i32(16),
          1,
          `${multiplyBy('size', get('runs'))}
           ${increase('p', mul(mul(get('runs'), get('size')), shl(field('inputChannels'), 1)))}
           ${increase('m', mul(mul(get('runs'), get('size')), i32(panelChannels * 4)))}
           ${multiplyBy('rest', i32(1))}
           ${increase('p', mul(get('rest'), shl(field('inputChannels'), 1)))}
           ${increase('m', shl(get('rest'), 5))}
           ${increase('w', mul(field('inputChannels'), i32(panelChannels * 2)))}`,
        )}
        ${set('multiplier', add(field('multiplier'), shl(get('n'), 2)))}
        ${set('mul0', `(f32x4.mul (v128.load ${get('multiplier')}) ${quarter})`)}
        ${set('mul1', `(f32x4.mul (v128.load offset=16 ${get('multiplier')}) ${quarter})`)}
        ${set('bias0', `(i32x4.shl (v128.load ${add(field('bias'), shl(get('n'), 2))}) (i32.const 2))`)}
        ${set('bias1', `(i32x4.shl (v128.load offset=16 ${add(field('bias'), shl(get('n'), 2))}) (i32.const 2))`)}
        ${set('m', field('products'))}
        ${loop(
          'ty',
          get('rows'),
          1,
          loop(
            'tx',
            get('tilesX'),
            1,
            `${outputTransform(0)} ${outputTransform(1)}
             ${storeOutput(0, 0)} ${storeOutput(0, 1)} ${storeOutput(1, 0)} ${storeOutput(1, 1)}
             ${increase('m', i32(panelChannels * 4))}`,
          ),
        )}`,
     )}`,
  )}`,
});

/** 2G g along one axis, of three int16 vectors. */
const weightTransform = (g: readonly string[]) => [
  `(i16x8.shl ${g[0]} (i32.const 1))`,
  `(i16x8.add (i16x8.add ${g[0]} ${g[1]}) ${g[2]})`,
  `(i16x8.add (i16x8.sub ${g[0]} ${g[1]}) ${g[2]})`,
  `(i16x8.shl ${g[2]} (i32.const 1))`,
];

/**
 * Direct panels [n/8][3][3 x channels / 2][8][2] int8 to [n/8][16][channels / 2][8][2] int16. Element
 * for element: the order within a pair of channels is the same in both.
 */
const transformWeights = toFunction({
  name: 'winograd_weights',
  exported: true,
  params: ['source', 'target', 'inputChannels', 'outputChannels'],
  i32: ['n', 'k', 's', 'd', 'pairs', 'plane', 'half'],
  v128: [
    ...Array.from({ length: 9 }, (_, index) => `g${index}`),
    ...Array.from({ length: 12 }, (_, index) => `u${index}`),
  ],
  body: `
  ${set('pairs', `(i32.shr_u ${get('inputChannels')} (i32.const 1))`)}
  ${set('plane', mul(get('pairs'), i32(32)))}
  ${loop(
    'n',
    get('outputChannels'),
    panelChannels,
    `${loop(
      'k',
      get('pairs'),
      1,
      loop(
        'half',
        i32(2),
        1,
        `${set('s', add(add(get('source'), mul(get('k'), i32(16))), mul(get('half'), i32(8))))}
         ${set('d', add(add(get('target'), mul(get('k'), i32(32))), mul(get('half'), i32(16))))}
         ${repeat(9, (index) => set(`g${index}`, `(v128.load8x8_s ${add(get('s'), mul(get('pairs'), i32(index * 16)))})`))}
         ${repeat(3, (x) => {
           const column = weightTransform([0, 1, 2].map((y) => get(`g${y * 3 + x}`)));
           return repeat(4, (y) => set(`u${y * 3 + x}`, column[y]!));
         })}
         ${repeat(4, (y) => {
           const row = weightTransform([0, 1, 2].map((x) => get(`u${y * 3 + x}`)));
           return repeat(
             4,
             (x) => `(v128.store ${add(get('d'), mul(get('plane'), i32(y * 4 + x)))} ${row[x]})`,
           );
         })}`,
      ),
    )}
    ${increase('source', mul(get('pairs'), i32(9 * 16)))}
    ${increase('target', mul(get('plane'), i32(16)))}`,
  )}`,
});

const products = Array.from({ length: tilePixels }, (_, index) => multiply(index + 1));

export const winograd = [transformInput, ...products, convolve, transformWeights].join('\n');
