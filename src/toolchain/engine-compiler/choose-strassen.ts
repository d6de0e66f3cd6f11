import { blockPixels, panelChannels } from '../../engine/kernel-layout.ts';
import type { PlanOperator } from '../../engine/plan.ts';
import { strassenScratch } from '../../engine/strassen-block.ts';
import type { TensorTable } from './tensor-table.ts';

/**
 * Where it pays, measured. It saves products in proportion to input and output channels, and adds additions in proportion
 * to their sum: both are many enough if 1 / inputs + 1 / outputs is at most this. Weights are added up anew for each
 * image, which few pixels of few channels do not pay back.
 */
const mostAdditions = 1 / 40;
const leastInputs = 20_000;
/** Halves of the input channels are a multiple of the inner loop's step. */
const channelStep = 32;
/** Transformed inputs of one block of pixels: half of a 1 MB L2 cache. */
const maxTransformedBytes = 512 * 1024;

/** Marks the 1 x 1 convolutions that are done by one level of Strassen's algorithm. */
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
