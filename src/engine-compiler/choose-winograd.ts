import { panelChannels, segmentStep } from '../engine/kernels/layout.ts';
import { alignUp, type Plan, type PlanOperator, type PlanTensor, winogradBytes } from '../engine/plan.ts';

type Convolve = Extract<PlanOperator, { type: 'convolve' }>;
type Sized = Pick<PlanTensor, 'height' | 'width' | 'channels'>;

/**
 * Winograd packs take 3.6 times the memory of the weights: packs may add as much as the model's file has.
 * On the plain kernels ResNet-18 then needs 31.7 MB in all, of the 36 it may have, ResNet-50 51.9 of 52.
 */
const maxExtraShare = 1;
/** Transformed inputs of one block of tile rows: half of a 1 MB L2 cache. */
const maxTransformedBytes = 512 * 1024;

/**
 * Decides which convolutions the plain kernels do by Winograd's way: those that save most
 * multiplications for each byte their packs add, as far as memory allows.
 *
 * @param parts changed: packs are marked.
 * @returns the operators, marked too, and the scratch they need.
 */
export function chooseWinograd(
  operators: readonly PlanOperator[],
  tensors: readonly Sized[],
  parts: Plan['parts'],
): Pick<Plan, 'operators' | 'transformed_bytes' | 'product_bytes'> {
  const candidates = operators
    .filter((operator): operator is Convolve => operator.type === 'convolve' && fits(operator, tensors))
    .map((operator) => {
      const source = tensors[operator.source]!;
      const target = tensors[operator.target]!;
      const pack = { input_channels: source.channels, output_channels: target.channels };
      const extraBytes = winogradBytes(pack) - parts[operator.weights]!.bytes;
      const products = source.channels * target.channels;
      const saved = products * (9 * target.height * target.width - 16 * countTiles(target));
      return { operator, pack, extraBytes, worth: saved / extraBytes };
    })
    .sort((a, b) => b.worth - a.worth);
  const maxExtraBytes = maxExtraShare * parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const chosen = new Set<PlanOperator>();
  let [extra, transformed, product] = [0, 0, 0];
  for (const { operator, pack, extraBytes } of candidates) {
    if (extra + extraBytes > maxExtraBytes) continue;
    extra += extraBytes;
    chosen.add(operator);
    parts[operator.weights] = { ...parts[operator.weights]!, winograd: pack };
    const target = tensors[operator.target]!;
    const tilesX = Math.ceil(target.width / 2);
    const rowBytes = 16 * tilesX * pack.input_channels * 2;
    const rows = Math.min(Math.ceil(target.height / 2), Math.floor(maxTransformedBytes / rowBytes));
    transformed = Math.max(transformed, alignUp(Math.max(1, rows) * rowBytes));
    product = Math.max(product, alignUp(16 * Math.max(1, rows) * tilesX * panelChannels * 4));
  }
  return {
    operators: operators.map(
      (operator) => (chosen.has(operator) ? { ...operator, winograd: true } : operator) as PlanOperator,
    ),
    transformed_bytes: transformed,
    product_bytes: product,
  };
}

const countTiles = ({ height, width }: Sized) => Math.ceil(height / 2) * Math.ceil(width / 2);

function fits({ kernel, stride, source, target }: Convolve, tensors: readonly Sized[]): boolean {
  const { height, width } = tensors[target]!;
  return (
    kernel.every((side) => side === 3) &&
    stride.every((step) => step === 1) &&
    tensors[source]!.channels % segmentStep === 0 &&
    16 * countTiles(tensors[target]!) < 9 * height * width
  );
}
