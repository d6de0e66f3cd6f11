import {
  blockPixels,
  convDescriptorBytes,
  type KernelTraits,
  pixelEntryBytes,
  scratch,
} from './kernels/layout.ts';
import { alignUp, type Plan, winogradBytes } from './plan.ts';

/** Where everything lies in a session's linear memory; byte offsets, each a multiple of 64. */
export interface MemoryLayout {
  readonly elementBytes: 1 | 2;
  readonly descriptors: number;
  /** Table of a block of pixels. */
  readonly pixels: number;
  /** Address of each part of the weights. */
  readonly parts: readonly number[];
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

/** @param traits of the kernel set that will run the plan. */
export function layOutMemory(plan: Plan, { elementBytes, winograd }: KernelTraits): MemoryLayout {
  let top: number = scratch.end;
  const take = (bytes: number): number => {
    const start = top;
    top = alignUp(top + bytes);
    return start;
  };
  const packs = plan.parts.map((part) => (winograd ? part.winograd : undefined));
  // Weights on their way into a Winograd pack wait in the arena, which nothing uses yet.
  const waiting = plan.parts.map(({ bytes }, index) => (packs[index] ? bytes : 0));
  return {
    elementBytes,
    descriptors: take(plan.operators.length * convDescriptorBytes),
    pixels: take(blockPixels * pixelEntryBytes),
    parts: plan.parts.map(({ bytes }, index) => take(packs[index] ? winogradBytes(packs[index]) : bytes)),
    arena: take(Math.max(plan.arena_elements * elementBytes, ...waiting) + slackBytes),
    transformed: take(winograd ? plan.transformed_bytes + slackBytes : 0),
    products: take(winograd ? plan.product_bytes + slackBytes : 0),
    image: take(3 * plan.input.height * plan.input.width * 4),
    logits: take((plan.output.classes + 8) * 4),
    end: top,
  };
}
