import { panelChannels, segmentStep, winogradSkew } from '../engine/kernels/layout.ts';
import { alignUp, type Plan, type PlanOperator } from '../engine/plan.ts';
import { type DraftTensor, growPadding, type TensorTable } from './tensor-table.ts';

type Convolve = Extract<PlanOperator, { type: 'convolve' }>;

/** Transformed inputs of one block of rows of tiles: half of a 1 MB L2 cache. */
const maxTransformedBytes = 512 * 1024;

/**
 * What a convolution costs by tiles of each side, in products of 8 channels. Each weight panel is
 * transformed again for each image; that takes as long as so many products for each of its channels.
 */
const sides = [
  { side: 2, panelCost: 40, largestSum: 2 ** 29 },
  { side: 4, panelCost: 110, largestSum: 2 ** 25 },
] as const;

/**
 * Decides which convolutions the plain kernels do by Winograd's way: where it costs least, and no sum
 * can be so large that the kernel would lose its upper bits. Makes room around their inputs for tiles
 * that reach over the edge: what they find there must be an activation.
 *
 * @param largestSums bounds of a convolution's sums, less their bias, by its weights' part.
 * @returns the operators, marked, and the scratch they need.
 */
export function chooseWinograd(
  operators: readonly PlanOperator[],
  tensors: TensorTable,
  largestSums: ReadonlyMap<number, number>,
): Pick<Plan, 'operators' | 'transformed_bytes' | 'product_bytes'> {
  let [transformed, product] = [0, 0];
  const marked = operators.map((operator): PlanOperator => {
    if (operator.type !== 'convolve') return operator;
    const [source, target] = [tensors.get(operator.source), tensors.get(operator.target)];
    const side = chooseSide(operator, source, target, largestSums.get(operator.weights)!);
    if (side === 0) return operator;
    const [tilesY, tilesX] = [Math.ceil(target.height / side), Math.ceil(target.width / side)];
    const positions = (side + 2) ** 2;
    const rowBytes = positions * tilesX * source.channels * 2;
    const rows = Math.min(tilesY, Math.max(1, Math.floor(maxTransformedBytes / rowBytes)));
    const skew = positions * winogradSkew;
    transformed = Math.max(transformed, alignUp(rows * rowBytes + skew));
    product = Math.max(product, alignUp(positions * rows * tilesX * panelChannels * 4 + skew));
    growPadding(source, {
      kernel: [3, 3],
      strides: [1, 1],
      pads: operator.pads,
      output: [tilesY * side, tilesX * side],
    });
    return { ...operator, winograd: side };
  });
  return { operators: marked, transformed_bytes: transformed, product_bytes: product };
}

function chooseSide(
  { kernel, stride }: Convolve,
  source: DraftTensor,
  { height, width }: DraftTensor,
  largestSum: number,
): Convolve['winograd'] {
  if (kernel.join() !== '3,3' || stride.join() !== '1,1' || source.channels % segmentStep !== 0) return 0;
  let best: { side: Convolve['winograd']; cost: number } = { side: 0, cost: 9 * height * width };
  for (const { side, panelCost, largestSum: limit } of sides) {
    const cost = (side + 2) ** 2 * Math.ceil(height / side) * Math.ceil(width / side) + panelCost;
    if (cost < best.cost && largestSum < limit) best = { side, cost };
  }
  return best.side;
}
