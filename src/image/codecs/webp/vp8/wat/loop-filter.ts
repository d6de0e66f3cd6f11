import { repeat, set, when } from '../../../../../lib/wasm-text/control.ts';
import {
  type Body,
  type I32,
  i32Locals,
  type V128,
  v128Locals,
} from '../../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../../lib/wasm-text/function.ts';
import { i32Add, i32And, i32Mul } from '../../../../../lib/wasm-text/integers.ts';
import { v128Load64Lane, v128Load64Zero, v128Store64Lane } from '../../../../../lib/wasm-text/memory.ts';
import { i8x16Shuffle } from '../../../../../lib/wasm-text/vectors.ts';
import { filteredEdges } from '../wasm/layout.ts';
import { edgeLocals, filterLines, limits, lines } from './edge-filter.ts';

/** The edge begins at `a`, and its second half, or that of the other chroma plane, at `b`: 8 samples each. */
const [a, b, stride] = i32Locals('a', 'b', 'stride');
const rows = v128Locals('r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7');

const rowAt = (base: I32, row: number, column = 0) => i32Add(i32Add(base, i32Mul(stride, row)), column);
const loadHalves = (row: number, column = 0) =>
  v128Load64Lane(1, rowAt(b, row, column), v128Load64Zero(rowAt(a, row, column)));
const storeHalves = (value: V128, row: number, column = 0) => [
  v128Store64Lane(0, rowAt(a, row, column), value),
  v128Store64Lane(1, rowAt(b, row, column), value),
];

/** The edge above: lines are rows. */
const filterAbove = wasmFunction({
  name: 'vp8_filter_above',
  params: [a, b, stride, ...limits],
  locals: edgeLocals,
  body: [
    lines.map((line, i) => set(line, loadHalves(i - 4))),
    filterLines(lines.slice(1, 7).map((line, i) => storeHalves(line, i - 3))),
  ],
});

/** Elements of so many bytes of `x` and `y` by turns, in both halves: the first half of them, or the second. */
const interleave = (x: V128, y: V128, bytes: number, part: 0 | 1) => {
  const order = [0, 8].flatMap((half) =>
    Array.from({ length: 4 / bytes }, (_, element) => element * bytes + part * 4 + half).flatMap((at) =>
      [0, 16].flatMap((vector) => Array.from({ length: bytes }, (_, byte) => vector + at + byte)),
    ),
  );
  return i8x16Shuffle(order, x, y);
};

/** Both halves of eight vectors transposed: 8 x 8 bytes each. */
function transpose(from: typeof rows | typeof lines, to: typeof rows | typeof lines): Body {
  // Three rounds of three: pairs of rows, then of pairs, then of fours.
  const step = (
    source: readonly (typeof rows)[number][],
    target: readonly (typeof rows)[number][],
    bytes: number,
    distance: number,
  ) => {
    const groups: Body[] = [];
    for (let start = 0; start < 8; start += 2 * distance) {
      for (let i = 0; i < distance; i++) {
        const [x, y] = [source[start + i]!, source[start + i + distance]!];
        groups.push(set(target[start + 2 * i]!, interleave(x, y, bytes, 0)));
        groups.push(set(target[start + 2 * i + 1]!, interleave(x, y, bytes, 1)));
      }
    }
    return groups;
  };
  return [step(from, to, 1, 1), step(to, from, 2, 2), step(from, to, 4, 4)];
}

/** The edge on the left: lines are columns. */
const filterLeft = wasmFunction({
  name: 'vp8_filter_left',
  params: [a, b, stride, ...limits],
  locals: [...edgeLocals, ...rows],
  body: [
    rows.map((row, i) => set(row, loadHalves(i, -4))),
    transpose(rows, lines),
    filterLines([transpose(lines, rows), rows.map((row, i) => storeHalves(row, i, -4))]),
  ],
});

const [luma, cb, cr, lumaStride, chromaStride, outerEdge, innerEdge, interior, highVariance, edges] =
  i32Locals(
    'luma',
    'cb',
    'cr',
    'luma_stride',
    'chroma_stride',
    'outer_edge',
    'inner_edge',
    'interior',
    'high_variance',
    'edges',
  );

const ifFiltered = (which: keyof typeof filteredEdges, body: Body) =>
  when(i32And(edges, filteredEdges[which]), body);
const outer = [outerEdge, interior, highVariance, 1] as const;
const inner = [innerEdge, interior, highVariance, 0] as const;
const down = (base: I32, length: I32, count: number) => i32Add(base, i32Mul(length, count));

/** `RowFilter.filter` of filter-row.ts for the normal filter. */
export const filterMacroblock = wasmFunction({
  name: 'vp8_filter_macroblock',
  exported: true,
  params: [luma, cb, cr, lumaStride, chromaStride, outerEdge, innerEdge, interior, highVariance, edges],
  body: [
    ifFiltered('left', [
      filterLeft.call(luma, down(luma, lumaStride, 8), lumaStride, ...outer),
      filterLeft.call(cb, cr, chromaStride, ...outer),
    ]),
    ifFiltered('inner', [
      repeat(3, (i) => {
        const at = i32Add(luma, 4 * (i + 1));
        return filterLeft.call(at, down(at, lumaStride, 8), lumaStride, ...inner);
      }),
      filterLeft.call(i32Add(cb, 4), i32Add(cr, 4), chromaStride, ...inner),
    ]),
    ifFiltered('above', [
      filterAbove.call(luma, i32Add(luma, 8), lumaStride, ...outer),
      filterAbove.call(cb, cr, chromaStride, ...outer),
    ]),
    ifFiltered('inner', [
      repeat(3, (i) => {
        const at = down(luma, lumaStride, 4 * (i + 1));
        return filterAbove.call(at, i32Add(at, 8), lumaStride, ...inner);
      }),
      filterAbove.call(down(cb, chromaStride, 4), down(cr, chromaStride, 4), chromaStride, ...inner),
    ]),
  ],
});

/** In the order that they call each other. */
export const loopFilters = [filterAbove, filterLeft, filterMacroblock];
