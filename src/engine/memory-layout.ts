import { convDescriptorBytes, scratch } from './kernels/layout.ts';
import { alignUp, type Plan } from './plan.ts';

/** Where everything lies in a session's linear memory; byte offsets, each a multiple of 64. */
export interface MemoryLayout {
  readonly descriptors: number;
  readonly weights: number;
  readonly arena: number;
  readonly transformed: number;
  readonly products: number;
  /** FP32 image, NCHW. */
  readonly image: number;
  readonly logits: number;
  readonly end: number;
}

/** Kernels read up to one vector step past what they need; nothing they find there is used. */
const slackBytes = 4096;

export function layOutMemory(plan: Plan): MemoryLayout {
  let top: number = scratch.end;
  const take = (bytes: number): number => {
    const start = top;
    top = alignUp(top + bytes);
    return start;
  };
  return {
    descriptors: take(plan.operators.length * convDescriptorBytes),
    weights: take(plan.weight_bytes),
    arena: take(plan.arena_bytes + slackBytes),
    transformed: take(plan.transformed_bytes + slackBytes),
    products: take(plan.product_bytes + slackBytes),
    image: take(3 * plan.input.height * plan.input.width * 4),
    logits: take((plan.output.classes + 8) * 4),
    end: top,
  };
}
