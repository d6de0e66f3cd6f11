import { get, i32, increase, loop, set, splat16, toFunction } from '../../../../lib/wasm-text/wat.ts';

const add = (a: string, b: string) => `(i16x8.add ${a} ${b})`;
const triple = (a: string) => add(a, `(i16x8.shl ${a} (i32.const 1))`);
const eight = (address: string) => `(v128.load8x8_u ${address})`;
const moved = (name: string, by: number) => `(i32.add ${get(name)} ${i32(by)})`;

/** Two outputs of each of eight samples: three parts of it and one of the neighbour on that side. */
const outputs = (shift: number, roundLeft: number, roundRight: number) => {
  const output = (neighbour: string, round: number) =>
    `(i16x8.shr_u ${add(add(get('weighted'), get(neighbour)), splat16(round))} ${i32(shift)})`;
  return `${set('weighted', triple(get('here')))}
    (v128.store ${get('out')} (v128.or ${output('before', roundLeft)}
      (i16x8.shl ${output('after', roundRight)} (i32.const 8))))
    ${increase('out', i32(16))}`;
};

/**
 * Inner samples of a row at twice the width, eight a step: the first is not the image's first, and `count`
 * ends before its last. Reads up to 8 bytes and writes up to 14 behind the last.
 *
 * @see libjpeg-turbo jdsample.c, `h2v1_fancy_upsample`
 */
export const fancyH2V1 = toFunction({
  name: 'fancy_h2v1',
  exported: true,
  params: ['row', 'out', 'count'],
  i32: ['i'],
  v128: ['before', 'here', 'after', 'weighted'],
  body: loop(
    'i',
    get('count'),
    8,
    `${set('before', eight(moved('row', -1)))}
     ${set('here', eight(get('row')))}
     ${set('after', eight(moved('row', 1)))}
     ${outputs(2, 1, 2)}
     ${increase('row', i32(8))}`,
  ),
});

const column = (by: number) => add(triple(eight(moved('near', by))), eight(moved('far', by)));

/** The same at twice the height too. @see libjpeg-turbo jdsample.c, `h2v2_fancy_upsample` */
export const fancyH2V2 = toFunction({
  name: 'fancy_h2v2',
  exported: true,
  params: ['near', 'far', 'out', 'count'],
  i32: ['i'],
  v128: ['before', 'here', 'after', 'weighted'],
  body: loop(
    'i',
    get('count'),
    8,
    `${set('before', column(-1))}
     ${set('here', column(0))}
     ${set('after', column(1))}
     ${outputs(4, 8, 7)}
     ${increase('near', i32(8))} ${increase('far', i32(8))}`,
  ),
});
