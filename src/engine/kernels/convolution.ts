import {
  branchIf,
  countUp,
  increase,
  loop,
  nop,
  repeat,
  select,
  set,
  tee,
  when,
} from '../../lib/wasm-text/control.ts';
import { type Body, i32Local, i32Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32Eq,
  i32GtS,
  i32LtS,
  i32Mul,
  i32Shl,
  i32ShrU,
  i32Sub,
} from '../../lib/wasm-text/integers.ts';
import { at, i32Load, v128Load } from '../../lib/wasm-text/memory.ts';
import {
  blockPixels,
  type KernelTraits,
  panelChannels,
  pixelEntryBytes,
  pixelTable,
} from '../kernel-layout.ts';
import type { Activations } from './activations.ts';
import { descriptor, field } from './descriptor-fields.ts';
import { accumulator, dotLoop, dotLoopLocals, pointer, segments, weightPointer } from './dot-loop.ts';
import { beginTable, count, fillTable, pixelEntry, tableLocals } from './pixel-table.ts';
import {
  finishLocals,
  loadResultConstants,
  loadSumConstants,
  multipliers,
  residualFirst,
  type SumsOfPixel,
  storeResult,
  storeSum,
} from './requantize.ts';
import { widenPanel } from './widen-panel.ts';

/** First channel of the panel. */
const channel = i32Local('channel');
/** Bytes from a pixel's first channel to `channel`; address of the multipliers from it on; `segmentSkip`. */
const [channelOffset, multiplierAddress, skip] = i32Locals('channelOffset', 'multiplierAddress', 'skip');

/** Bytes from a pixel's first channel to the first that the panel reads. */
const groupOffset = i32Local('groupOffset');

/**
 * The pixels whose table entries begin at `pixelEntry`, times a panel of weights: reduced, finished, stored.
 *
 * @param isGrouped whether a panel reads a run of channels of its own, so that each place of the kernel is a segment.
 */
function tileOf(pixels: number, activations: Activations, isGrouped: boolean) {
  const entry = (pixel: number, part: keyof typeof pixelTable) =>
    i32Load(at(pixelEntry, pixel * pixelEntryBytes + pixelTable[part]));
  const sums = (pixel: number): SumsOfPixel => [accumulator(pixel, 0), accumulator(pixel, 1)];
  const place = (pixel: number, part: 'output' | 'residual') => i32Add(entry(pixel, part), channelOffset);
  // The table has 4 bytes for each panel of 8 channels.
  const firstChannel = i32Load(i32Add(field('groupOffsets'), i32ShrU(channel, 1)));
  const storeResults = [
    loadResultConstants,
    repeat(pixels, (pixel) => storeResult(activations, sums(pixel), place(pixel, 'output'))),
  ];
  return wasmFunction({
    name: isGrouped ? `grouped_tile_${pixels}` : `tile_${pixels}`,
    params: [descriptor, weightPointer, pixelEntry, channel],
    locals: [
      ...dotLoopLocals(pixels),
      ...[channelOffset, multiplierAddress, skip, residualFirst],
      ...(isGrouped ? [groupOffset] : []),
      ...multipliers,
      ...finishLocals,
    ],
    body: [
      isGrouped ? set(groupOffset, i32Mul(firstChannel, activations.bytes)) : [],
      repeat(pixels, (pixel) => {
        const input = entry(pixel, 'input');
        return set(pointer(pixel), isGrouped ? i32Add(input, groupOffset) : input);
      }),
      set(segments, field('segments')),
      set(skip, field('segmentSkip')),
      dotLoop(pixels, activations.operands, {
        bias: i32Add(field('bias'), i32Shl(channel, 2)),
        length: field('segmentLength'),
        skip,
        ...(isGrouped && { rows: { segments: field('kernelWidth'), skip: field('rowSkip') } }),
      }),
      set(multiplierAddress, i32Add(field('multiplier'), i32Shl(channel, 2))),
      multipliers.map((local, half) => set(local, v128Load(at(multiplierAddress, half * 16)))),
      set(channelOffset, i32Mul(channel, activations.bytes)),
      isGrouped
        ? storeResults
        : when(
            field('residual'),
            [
              loadSumConstants,
              set(residualFirst, field('residualFirst')),
              repeat(pixels, (pixel) =>
                storeSum(activations, sums(pixel), place(pixel, 'output'), place(pixel, 'residual')),
              ),
            ],
            storeResults,
          ),
    ],
  });
}
type Tile = ReturnType<typeof tileOf>;

/** Pixels of a block that are left, and pixels of the next tile. */
const [rest, size] = i32Locals('rest', 'size');

/** Calls the tile for `size` pixels. @param tiles by pixels, from one on. */
const callTile = (tiles: readonly Tile[]) =>
  // The one that is asked for first is the full tile.
  tiles.reduce(
    (others, tile, index) =>
      when(i32Eq(size, index + 1), tile.call(descriptor, weightPointer, pixelEntry, channel), others),
    nop,
  );

/** The block's pixels times the panel at `weightPointer`. */
const multiplyBlock = (tiles: readonly Tile[]) => {
  const full = tiles.length;
  return [
    set(pixelEntry, field('pixels')),
    set(rest, count),
    loop('tiles', (nextTile) => [
      set(size, full),
      when(
        i32LtS(rest, full + 3),
        when(i32GtS(rest, full), set(size, i32ShrU(i32Add(rest, 1), 1)), set(size, rest)),
      ),
      callTile(tiles),
      increase(pixelEntry, i32Mul(size, pixelEntryBytes)),
      branchIf(nextTile, tee(rest, i32Sub(rest, size))),
    ]),
  ];
};

/** Pixels that are left of the output; address of a panel of weights as the file holds it. */
const [left, panel] = i32Locals('left', 'panel');

/**
 * Direct convolution as an implicit matrix product: the kernel's rows are contiguous segments of the
 * padded NHWC input, so nothing is copied first. Weight panels outside, pixels inside: a panel (8
 * output channels) stays in the L1 cache while all pixels of a block pass. A tile of one or two pixels
 * costs nearly as much as a full one, so that 7 or 8 pixels at the end become two halves.
 */
function convolve(name: string, tiles: readonly Tile[], widensPanels: boolean) {
  const panelBytes = i32Mul(i32Mul(field('segments'), field('segmentLength')), panelChannels);
  const takePanel: Body = widensPanels
    ? [set(weightPointer, field('panel')), widenPanel.call(panel, weightPointer, panelBytes)]
    : set(weightPointer, panel);
  return wasmFunction({
    name,
    exported: true,
    params: [descriptor],
    locals: [...tableLocals, channel, panel, weightPointer, left, rest, size],
    body: [
      beginTable,
      set(left, i32Mul(field('height'), field('width'))),
      loop('block', (nextBlock) => [
        set(count, select(blockPixels, left, i32LtS(blockPixels, left))),
        fillTable,
        set(panel, field('weights')),
        countUp(channel, field('channels'), panelChannels, [
          takePanel,
          multiplyBlock(tiles),
          increase(panel, panelBytes),
        ]),
        branchIf(nextBlock, tee(left, i32Sub(left, count))),
      ]),
    ],
  });
}

export function convolution(activations: Activations, { tilePixels, widensPanels }: KernelTraits) {
  const tiles = Array.from({ length: tilePixels }, (_, index) => tileOf(index + 1, activations, false));
  return [...tiles, convolve('convolve', tiles, widensPanels)];
}

/** The same for groups, without a residual: 8 output channels read only the input channels of their groups. */
export function groupedConvolution(activations: Activations, { tilePixels, widensPanels }: KernelTraits) {
  const tiles = Array.from({ length: tilePixels }, (_, index) => tileOf(index + 1, activations, true));
  return [...tiles, convolve('convolve_grouped', tiles, widensPanels)];
}
