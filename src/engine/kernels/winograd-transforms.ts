import { add, get, i32, increase, loop, mul, repeat, set, shl, toFunction } from '../../lib/wasm-text/wat.ts';
import { winogradSkew } from '../kernel-layout.ts';
import type { Activations } from './activations.ts';
import { field, laneField } from './descriptor-fields.ts';
import { sharedLocals, type Transform, type WinogradVariant } from './winograd-variants.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const vector = (y: number, x: number) => `v${y}_${x}`;
const vectors = (rows: number, columns: number) =>
  range(rows).flatMap((y) => range(columns).map((x) => vector(y, x)));

/** One axis: results to the locals `targets`, which may be the very ones that are read. */
function apply(transform: Transform, sources: readonly string[], targets: readonly string[]): string {
  const { shared = [], results } = transform(sources.map(get));
  // All are computed before any is set: the stack holds them meanwhile.
  return `${shared.map((value, index) => set(sharedLocals[index]!, value)).join('\n')}
    ${results.join('\n')} ${targets
      .toReversed()
      .map((name) => `(local.set $${name})`)
      .join(' ')}`;
}

/**
 * Both axes: `from` x `from` vectors to `to` x `to`, which are stored as `value` makes them: position
 * (y, x) at `at` + (`to` x y + x) x `plane`. A column is stored before the next is made.
 */
function applyTwice(
  transform: Transform,
  [from, to]: readonly [number, number],
  value: (name: string) => string = get,
): string {
  const rows = repeat(from, (y) =>
    apply(
      transform,
      range(from).map((x) => vector(y, x)),
      range(to).map((x) => vector(y, x)),
    ),
  );
  const columns = repeat(to, (x) => {
    const results = range(to).map((y) => vector(y, x));
    const sources = range(from).map((y) => vector(y, x));
    return `${set('position', get('at'))}
      ${apply(transform, sources, results)}
      ${results
        .map((name) => `(v128.store ${get('position')} ${value(name)}) ${increase('position', get('row'))}`)
        .join('\n')}
      ${increase('at', get('plane'))}`;
  });
  return `${rows} ${set('row', mul(get('plane'), i32(to)))} ${columns}`;
}

/** Tiles of `rows` rows of tiles from `firstRow` on: inputs to V[position][tile][channel], int16. */
export function transformInput({ side, input }: WinogradVariant, activations: Activations): string {
  const size = side + 2;
  return toFunction({
    name: `winograd_input_${side}`,
    params: ['c', 'firstRow', 'rows', 'tilesX'],
    i32: ['ty', 'tx', 'k', 'd', 'v', 'at', 'position', 'plane', 'row', 'inputRow', 'pixel', 'channels'],
    v128: ['zero', ...vectors(size, size), ...sharedLocals],
    body: `
    ${set('zero', laneField('inputZero'))}
    ${set('channels', field('inputChannels'))}
    ${set('pixel', mul(get('channels'), i32(activations.bytes)))}
    ${set('plane', add(mul(mul(get('rows'), get('tilesX')), shl(get('channels'), 1)), i32(winogradSkew)))}
    ${set('inputRow', field('inputRowBytes'))}
    ${set('v', field('transformed'))}
    ${loop(
      'ty',
      get('rows'),
      1,
      loop(
        'tx',
        get('tilesX'),
        1,
        `${set('d', add(field('input'), add(mul(mul(add(get('firstRow'), get('ty')), i32(side)), get('inputRow')), mul(mul(get('tx'), i32(side)), get('pixel')))))}
         ${loop(
           'k',
           get('channels'),
           8,
           `${repeat(size, (y) => {
             const first = set(
               'at',
               add(add(get('d'), mul(get('k'), i32(activations.bytes))), mul(get('inputRow'), i32(y))),
             );
             const loads = repeat(
               size,
               (x) =>
                 `${set(vector(y, x), activations.loadCentred(get('at'), 'zero'))} ${increase('at', get('pixel'))}`,
             );
             return `${first} ${loads}`;
           })}
           ${set('at', add(get('v'), shl(get('k'), 1)))}
           ${applyTwice(input, [size, size])}`,
         )}
         ${increase('v', shl(get('channels'), 1))}`,
      ),
    )}`,
  });
}

/**
 * One panel, as the file holds it: [3][3 x channels / 2][8][2] int8 to [position][channels / 2][8][2]
 * int16. Element for element: the order within a pair of channels is the same in both.
 */
export function transformPanel({ side, weights }: WinogradVariant): string {
  const size = side + 2;
  return toFunction({
    name: `winograd_panel_${side}`,
    params: ['source', 'target', 'inputChannels'],
    i32: ['k', 'at', 'position', 'bytes', 'plane', 'row'],
    v128: [...vectors(size, size), ...sharedLocals],
    body: `
    ${set('bytes', shl(get('inputChannels'), 3))}
    ${set('plane', add(shl(get('bytes'), 1), i32(winogradSkew)))}
    ${loop(
      'k',
      get('bytes'),
      8,
      `${set('at', add(get('source'), get('k')))}
       ${vectors(3, 3)
         .map((name) => `${set(name, `(v128.load8x8_s ${get('at')})`)} ${increase('at', get('bytes'))}`)
         .join('\n')}
       ${set('at', add(get('target'), shl(get('k'), 1)))}
       ${applyTwice(weights, [3, size])}`,
    )}`,
  });
}

/**
 * One tile's products of 8 channels, M[position][tile][8] int32, to its sums, bias not included: output
 * (y, x) takes the place of position `side` x y + x.
 */
export function transformOutput({ side, output, shift, inverse }: WinogradVariant): string {
  const size = side + 2;
  const whole = (value: string) => {
    const even = inverse ? `(i32x4.mul ${value} (i32x4.splat (i32.const ${inverse})))` : value;
    return `(i32x4.shr_s ${even} (i32.const ${shift}))`;
  };
  return toFunction({
    name: `winograd_output_${side}`,
    params: ['m', 'plane'],
    i32: ['half', 'at', 'position', 'row'],
    v128: [...vectors(size, size), ...sharedLocals],
    body: loop(
      'half',
      i32(2),
      1,
      `${set('at', get('m'))}
       ${vectors(size, size)
         .map((name) => `${set(name, `(v128.load ${get('at')})`)} ${increase('at', get('plane'))}`)
         .join('\n')}
       ${set('at', get('m'))}
       ${applyTwice(output, [size, side], (name) => whole(get(name)))}
       ${increase('m', i32(16))}`,
    ),
  });
}
