import { type KernelSetName, kernelSetNames, segmentStep } from '../../engine/kernel-layout.ts';
import type { PlanOperator, WinogradTiles } from '../../engine/plan.ts';
import { positionsAlong, sevenLayout, stemLayout, winogradScratch } from '../../engine/winograd-tiles.ts';
import { type DraftTensor, growPadding, type TensorTable } from './tensor-table.ts';
import { maxTransformedBytes } from './transformed-bytes.ts';

type Convolve = Extract<PlanOperator, { type: 'convolve' }>;

/**
 * The cost of a convolution in tiles of each side, counted in products of 8 channels. Every weight panel is transformed
 * again for each image, which takes as long as `panelCost` products for each channel. Sums must be below `largestSum`: see
 * winograd-variants.ts.
 */
const variants = [
  { side: 2, stride: 1, panelCost: 40, largestSum: 2 ** 29 },
  { side: 4, stride: 1, panelCost: 110, largestSum: 2 ** 25 },
  { side: 2, stride: 2, panelCost: 60, largestSum: 2 ** 31 },
  { side: 4, stride: 2, panelCost: 250, largestSum: 2 ** 29 },
] as const;

/** The cost of a product of the direct way in the same unit. A relaxed product has 16 channels. */
const directCost: Readonly<Record<KernelSetName, number>> = { plain: 1, relaxed: 0.5 };

/**
 * Decides which convolutions use Winograd's way: those for which it costs less, and whose sums cannot be so large that
 * their upper bits are lost. It adds padding around their inputs, because tiles reach over the edge and must find
 * activations there.
 *
 * @param largestSums bounds of the convolutions' sums, bias not included, by the parts of their weights.
 * @returns the operators, marked.
 */
export function chooseWinograd(
  operators: readonly PlanOperator[],
  tensors: TensorTable,
  largestSums: ReadonlyMap<number, number>,
): PlanOperator[] {
  return operators.map((operator) => {
    if (operator.type !== 'convolve' || operator.grouped) return operator;
    const [source, target] = [tensors.get(operator.source), tensors.get(operator.target)];
    if (isStem(operator, source, target)) {
      // Kernel and windows have an eighth row and an eighth column, which are zeros.
      growPadding(source, {
        kernel: [8, 8],
        strides: [2, 2],
        pads: [...operator.pads, 0, 0],
        output: [target.height, target.width],
      });
      return { ...operator, winograd: { side: stemLayout.side, tile_rows: 1, sets: ['plain'] } };
    }
    const choice = choose(operator, source, target, largestSums.get(operator.weights)!);
    if (!choice) return operator;
    const { side, sets } = choice;
    const [rows, columns] = [Math.ceil(target.height / side), Math.ceil(target.width / side)];
    const output = [rows * side, columns * side] as const;
    growPadding(source, { kernel: [3, 3], strides: operator.stride, pads: [...operator.pads, 0, 0], output });
    const { transformed } = winogradScratch({ side, tile_rows: 1 }, operator.stride[0], source, target);
    const rowsAtOnce = Math.min(rows, Math.max(1, Math.floor(maxTransformedBytes / transformed)));
    return { ...operator, winograd: { side, tile_rows: rowsAtOnce, sets } };
  });
}

/** Whether kernels/winograd-stem.ts computes the convolution. Its sums are always small enough. */
const isStem = (
  { kernel, stride, residual }: Convolve,
  { channels }: DraftTensor,
  { height, width }: DraftTensor,
) =>
  kernel.join() === '7,7' &&
  stride.join() === '2,2' &&
  channels === 3 &&
  !residual &&
  Math.min(height, width) >= stemLayout.side;

function choose(
  { kernel, stride }: Convolve,
  source: DraftTensor,
  { height, width }: DraftTensor,
  largestSum: number,
): { readonly side: WinogradTiles['side']; readonly sets: KernelSetName[] } | undefined {
  if (kernel.join() !== '3,3' || stride[0] !== stride[1] || source.channels % segmentStep !== 0)
    return undefined;
  const [best] = variants
    .filter((variant) => variant.stride === stride[0] && largestSum < variant.largestSum)
    .map(({ side, panelCost }) => ({
      side,
      cost:
        positionsAlong({ side, stride: stride[0] }) ** 2 *
          Math.ceil(height / side) *
          Math.ceil(width / side) +
        panelCost,
    }))
    .sort((a, b) => a.cost - b.cost);
  if (!best) return undefined;
  const able = kernelSetNames.filter((name) => stride[0] === 1 || name === 'plain');
  const sets = able.filter((name) => best.cost < directCost[name] * 9 * height * width);
  if (sets.length === 0) return undefined;
  // Only if every sum is small enough for tiles of 4.
  const inSevens = best.side === 4 && stride[0] === 1 && source.channels % sevenLayout.chunkChannels === 0;
  const seven = sevenLayout.sides.find((side) => side === height && side === width);
  return { side: (inSevens && seven) || best.side, sets };
}
