import { type KernelTraits, kernelTraits, panelChannels, winogradSkew } from './kernel-layout.ts';
import { alignUp, type PlanOperator, type PlanTensor, type WinogradTiles } from './plan.ts';

/** @returns the tiles by which a kernel set computes the convolution, if it does it by Winograd's way. */
export function winogradOf(operator: PlanOperator, { name }: KernelTraits): WinogradTiles | undefined {
  const winograd = operator.type === 'convolve' ? operator.winograd : undefined;
  return winograd?.sets.includes(name) ? winograd : undefined;
}

/** Bytes of what Winograd's way keeps for one block of rows of tiles, and for one weight panel. */
export interface WinogradScratch {
  /** V[position][tile][input channel], int16. */
  readonly transformed: number;
  /** M[position][tile][8], int32. */
  readonly products: number;
  /** U[position][input channel / 2][8][2], int16. */
  readonly panel: number;
}

/** Of the stem's kernel: see kernels/winograd-stem.ts. Elements of a position are 2 rows of 2 pixels of 3 channels. */
export const stemLayout = {
  side: 3,
  size: 6,
  positions: 36,
  pairs: 6,
  /** V and M of one tile. */
  tileBytes: 36 * 32,
  /** U: 6 pairs of elements for 8 channels. */
  positionBytes: 6 * 32,
  /** Weights as the file holds them: of a kernel row, and of two pixels of it. */
  weightRowBytes: 24 * 8,
  tapBytes: 6 * 8,
} as const;

/** Of outputs of 7 x 7, and of 14 x 14 as four blocks of these: see kernels/winograd-seven.ts. */
export const sevenLayout = {
  sides: [7, 14],
  chunkChannels: 32,
  /** Products of a block's tiles at their positions, for one input and one output channel. */
  slots: 121,
} as const;

function sevenScratch(side: 7 | 14, { channels }: Pick<PlanTensor, 'channels'>): WinogradScratch {
  const { chunkChannels, slots } = sevenLayout;
  const blocks = (side / 7) ** 2;
  return {
    transformed: alignUp(blocks * slots * channels * 2),
    // Sums of one block's pixels lie behind.
    products: alignUp((blocks * slots + 49) * panelChannels * 4),
    // 36 positions in int16, and the nine places of the kernel they are made of.
    panel: alignUp((36 * 2 + 9) * chunkChannels * panelChannels + 36 * winogradSkew),
  };
}

function stemScratch({ channels, width }: Pick<PlanTensor, 'channels' | 'width'>): WinogradScratch {
  const { side, positions, tileBytes, positionBytes } = stemLayout;
  return {
    transformed: alignUp(Math.ceil(width / side) * tileBytes),
    products: alignUp(kernelTraits.plain.tilePixels * tileBytes),
    panel: alignUp((channels / panelChannels) * positions * positionBytes),
  };
}

/** Positions of a tile along an axis, each with inputs and weights of its own: as many as inputs that it reads. */
export const positionsAlong = ({ side, stride }: { readonly side: number; readonly stride: number }) =>
  stride === 1 ? side + 2 : 2 * side + 1;

export function winogradScratch(
  { side, tile_rows }: Pick<WinogradTiles, 'side' | 'tile_rows'>,
  stride: number,
  { channels }: Pick<PlanTensor, 'channels'>,
  target: Pick<PlanTensor, 'channels' | 'width'>,
): WinogradScratch {
  if (side === stemLayout.side) return stemScratch(target);
  if (side === 7 || side === 14) return sevenScratch(side, { channels });
  const positions = positionsAlong({ side, stride }) ** 2;
  const tiles = tile_rows * Math.ceil(target.width / side);
  const bytes = (position: number) => alignUp(positions * (position + winogradSkew));
  return {
    transformed: bytes(tiles * channels * 2),
    products: bytes(tiles * panelChannels * 4),
    panel: bytes(channels * panelChannels * 2),
  };
}
