import { branchIf, increase, loop, repeat, select, set, when } from '../../../../../lib/wasm-text/control.ts';
import { type Body, type I32, i32Locals } from '../../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../../lib/wasm-text/function.ts';
import { i32Add, i32And, i32LtS, i32Mul, i32Shl, i32ShrU } from '../../../../../lib/wasm-text/integers.ts';
import {
  at,
  i32Load,
  i32Load8U,
  i32Store,
  i64Load,
  i64Store,
  v128Load,
  v128Store,
} from '../../../../../lib/wasm-text/memory.ts';
import { coefficientsPerBlock } from '../residuals.ts';
import { macroblockPlace } from '../wasm/layout.ts';
import { chromaAt, edgeBytes, lumaAt, workspaceStride as stride } from '../workspace.ts';
import { addDc, addInverseDct } from './inverse-dct.ts';
import { predictBlock } from './predict-block.ts';
import { predict8, predict16 } from './predict-plane.ts';

const [workspace, edges, masks, modes, chromaMode, submodes, content, coefficients, place] = i32Locals(
  'workspace',
  'edges',
  'masks',
  'modes',
  'chroma_mode',
  'submodes',
  'content',
  'coefficients',
  'place',
);
const [luma, cb, cr, lumaStride, chromaStride] = i32Locals(
  'luma',
  'cb',
  'cr',
  'luma_stride',
  'chroma_stride',
);
const [block, to, kind] = i32Locals('block', 'to', 'kind');
const blockBytes = 2 * coefficientsPerBlock;
const planes = [
  { first: lumaAt, side: 16, edge: 0 },
  { first: chromaAt[0], side: 8, edge: 16 },
  { first: chromaAt[1], side: 8, edge: 24 },
] as const;

const copy = (side: 16 | 8, target: ReturnType<typeof at> | I32, source: ReturnType<typeof at>) =>
  side === 16 ? v128Store(target, v128Load(source)) : i64Store(target, i64Load(source));

/** The last samples of each row become those on the left: four, to move them at once. */
const moveLeftEdge: Body = planes.map(({ first, side }) =>
  repeat(side + 1, (y) => {
    const row = first + (y - 1) * stride;
    return i32Store(at(workspace, row - 4), i32Load(at(workspace, row + side - 4)));
  }),
);

const repeated = i32Mul(i32Load8U(at(edges, 15)), 0x01010101);
const placeEdgeAbove: Body = [
  planes.map(({ first, side, edge }) => copy(side, at(workspace, first - stride), at(edges, edge))),
  i32Store(
    at(workspace, lumaAt - stride + 16),
    select(repeated, i32Load(at(edges, edgeBytes)), i32And(place, macroblockPlace.isLast)),
  ),
];

/** The residual of block number `block` at `to`. */
const addResidual: Body = [
  set(kind, i32Load8U(i32Add(content, block))),
  when(
    kind,
    when(
      i32ShrU(kind, 1),
      addInverseDct.call(i32Add(coefficients, i32Mul(block, blockBytes)), to),
      addDc.call(i32Add(coefficients, i32Mul(block, blockBytes)), to),
    ),
  ),
];

/** Of all 16 blocks of luma; `predict` first, where each has its mode. */
const eachBlock = (predict: Body): Body => [
  set(block, 0),
  loop('block', (next) => [
    set(
      to,
      i32Add(
        i32Add(workspace, lumaAt),
        i32Add(i32Mul(i32ShrU(block, 2), 4 * stride), i32Shl(i32And(block, 3), 2)),
      ),
    ),
    predict,
    addResidual,
    increase(block, 1),
    branchIf(next, i32LtS(block, 16)),
  ]),
];

const right = lumaAt - stride + 16;
const makeLuma: Body = when(
  submodes,
  [
    [4, 8, 12].map((y) => i32Store(at(workspace, right + y * stride), i32Load(at(workspace, right)))),
    eachBlock(predictBlock.call(to, i32Load8U(i32Add(modes, block)), masks)),
  ],
  [predict16.call(i32Add(workspace, lumaAt), i32Load8U(modes), place), eachBlock([])],
);

const makeChroma: Body = chromaAt.map((first, plane) => [
  predict8.call(i32Add(workspace, first), chromaMode, place),
  repeat(4, (i) => [
    set(block, 16 + 4 * plane + i),
    set(to, i32Add(workspace, first + (i >> 1) * 4 * stride + (i & 1) * 4)),
    addResidual,
  ]),
]);

const keepLowerEdge: Body = planes.map(({ first, side, edge }) =>
  copy(side, at(edges, edge), at(workspace, first + (side - 1) * stride)),
);

const copyOut: Body = planes.map(({ first, side }, i) => {
  const target = [luma, cb, cr][i]!;
  return repeat(side, (y) => [
    copy(side, target, at(workspace, first + y * stride)),
    y < side - 1 ? increase(target, side === 16 ? lumaStride : chromaStride) : [],
  ]);
});

/** `MacroblockMaker.make` of macroblock.ts. */
const makeMacroblock = wasmFunction({
  name: 'vp8_make_macroblock',
  exported: true,
  params: [
    ...([workspace, edges, masks, modes, chromaMode, submodes, content, coefficients, place] as const),
    ...([luma, cb, cr, lumaStride, chromaStride] as const),
  ],
  locals: [block, to, kind],
  body: [
    when(i32And(place, macroblockPlace.hasLeft), moveLeftEdge),
    when(i32And(place, macroblockPlace.hasAbove), placeEdgeAbove),
    makeLuma,
    makeChroma,
    keepLowerEdge,
    copyOut,
  ],
});

export const macroblockFunctions = [predict16, predict8, predictBlock, addInverseDct, addDc, makeMacroblock];
