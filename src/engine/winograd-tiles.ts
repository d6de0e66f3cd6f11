import { type KernelTraits, panelChannels, winogradSkew } from './kernel-layout.ts';
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

export function winogradScratch(
  { side, tile_rows }: Pick<WinogradTiles, 'side' | 'tile_rows'>,
  { channels }: Pick<PlanTensor, 'channels'>,
  { width }: Pick<PlanTensor, 'width'>,
): WinogradScratch {
  const positions = (side + 2) ** 2;
  const tiles = tile_rows * Math.ceil(width / side);
  const bytes = (position: number) => alignUp(positions * (position + winogradSkew));
  return {
    transformed: bytes(tiles * channels * 2),
    products: bytes(tiles * panelChannels * 4),
    panel: bytes(channels * panelChannels * 2),
  };
}
