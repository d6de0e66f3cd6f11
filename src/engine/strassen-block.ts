import { type KernelTraits, panelChannels, winogradSkew } from './kernel-layout.ts';
import { alignUp, type PlanOperator, type PlanTensor } from './plan.ts';
import type { WinogradScratch } from './winograd-tiles.ts';

/** Products of halves: see kernels/strassen.ts. */
export const strassenPositions = 7;

export interface StrassenBlock {
  /** Pixels computed at once: even, and at most the pixels of a table. */
  readonly block_pixels: number;
}

/** @returns the block by which a kernel set computes the convolution, if it does it by Strassen's algorithm. */
export function strassenOf(operator: PlanOperator, { name }: KernelTraits): StrassenBlock | undefined {
  return operator.type === 'convolve' && name === 'plain' ? operator.strassen : undefined;
}

/** What is kept for one block of pixels, and for two weight panels. */
export function strassenScratch(
  { block_pixels }: StrassenBlock,
  { channels }: Pick<PlanTensor, 'channels'>,
): WinogradScratch {
  const bytes = (position: number) => alignUp(strassenPositions * (position + winogradSkew));
  const [pairs, half] = [block_pixels / 2, channels / 2];
  return {
    transformed: bytes(pairs * half * 2),
    products: bytes(pairs * panelChannels * 4),
    panel: bytes(half * panelChannels * 2),
  };
}
