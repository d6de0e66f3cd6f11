import { blockPixels, panelChannels } from '../../engine/kernel-layout.ts';
import type { PlanOperator } from '../../engine/plan.ts';
import { strassenScratch } from '../../engine/strassen-block.ts';
import type { TensorTable } from './tensor-table.ts';
import { maxTransformedBytes } from './transformed-bytes.ts';

/**
 * Strassen's algorithm pays if 1 / inputs + 1 / outputs (channels) is at most this (measured). It saves products in
 * proportion to inputs x outputs, and adds additions in proportion to inputs + outputs. Weights are added up again for
 * each image, which does not pay for few pixels of few channels.
 */
const mostAdditions = 1 / 40;
const leastInputs = 20_000;
/** Input channels must be a multiple of this, so that half of them is a multiple of the inner loop's step. */
const channelStep = 32;

/** Marks the 1 x 1 convolutions that one level of Strassen's algorithm computes. */
export function chooseStrassen(operators: readonly PlanOperator[], tensors: TensorTable): PlanOperator[] {
  return operators.map((operator) => {
    if (operator.type !== 'convolve' || operator.grouped || operator.kernel.join() !== '1,1') return operator;
    const [source, target] = [tensors.get(operator.source), tensors.get(operator.target)];
    const fits = source.channels % channelStep === 0 && target.channels % (2 * panelChannels) === 0;
    const pixels = target.height * target.width;
    const pays =
      1 / source.channels + 1 / target.channels <= mostAdditions && source.channels * pixels >= leastInputs;
    if (!fits || !pays) return operator;
    const { transformed } = strassenScratch({ block_pixels: 2 }, source);
    const most = Math.min(blockPixels, Math.floor(maxTransformedBytes / transformed) * 2);
    const blocks = Math.ceil(pixels / most);
    return { ...operator, strassen: { block_pixels: 2 * Math.ceil(pixels / blocks / 2) } };
  });
}
