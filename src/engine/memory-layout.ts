import {
  blockPixels,
  convDescriptorBytes,
  type KernelTraits,
  panelChannels,
  pixelEntryBytes,
  scratch,
} from './kernel-layout.ts';
import { alignUp, type Plan, type PlanOperator } from './plan.ts';
import { strassenOf, strassenScratch } from './strassen-block.ts';
import { type WinogradScratch, winogradOf, winogradScratch } from './winograd-tiles.ts';

/** Byte offsets in a session's linear memory, each a multiple of 64. */
export interface MemoryLayout {
  readonly elementBytes: 1 | 2;
  readonly descriptors: number;
  /** Table of a block of pixels. */
  readonly pixels: number;
  /** Address of each part of the weights. */
  readonly parts: readonly number[];
  readonly arena: number;
  /** One weight panel in int16, and Winograd's scratch. */
  readonly panel: number;
  readonly transformed: number;
  readonly products: number;
  /** FP32 image, NCHW; shares memory with the scratch. */
  readonly image: number;
  readonly logits: number;
  readonly end: number;
}

/** Kernels may read up to one vector step too far. They do not use what they read there. */
const slackBytes = 4096;

/** @param traits of the kernel set that will run the plan. */
export function layOutMemory(plan: Plan, traits: KernelTraits): MemoryLayout {
  const { elementBytes } = traits;
  let top: number = scratch.end;
  const take = (bytes: number): number => {
    const start = top;
    top = alignUp(top + bytes);
    return start;
  };
  const needs = plan.operators.map((operator) => scratchOf(operator, plan, traits));
  const need = (part: keyof WinogradScratch) =>
    Math.max(0, ...needs.map((each) => (each[part] > 0 ? each[part] + slackBytes : 0)));
  const [panel, transformed, products] = [need('panel'), need('transformed'), need('products')].map(
    alignUp,
  ) as [number, number, number];
  const imageBytes = 3 * plan.input.height * plan.input.width * 4;
  const places = {
    descriptors: take(plan.operators.length * convDescriptorBytes),
    pixels: take(blockPixels * pixelEntryBytes),
    parts: plan.parts.map(({ bytes }) => take(bytes)),
    arena: take(plan.arena_elements * elementBytes + slackBytes),
    // The image has been read before the first convolution needs its scratch.
    image: take(Math.max(imageBytes, panel + transformed + products)),
    logits: take((plan.output.classes + 8) * 4),
  };
  return {
    ...places,
    elementBytes,
    panel: places.image,
    transformed: places.image + panel,
    products: places.image + panel + transformed,
    end: top,
  };
}

function scratchOf(operator: PlanOperator, { parts, tensors }: Plan, traits: KernelTraits): WinogradScratch {
  const none = { panel: 0, transformed: 0, products: 0 };
  if (operator.type !== 'convolve') return none;
  const target = tensors[operator.target]!;
  const winograd = winogradOf(operator, traits);
  if (winograd) return winogradScratch(winograd, operator.stride[0], tensors[operator.source]!, target);
  const strassen = strassenOf(operator, traits);
  if (strassen) return strassenScratch(strassen, tensors[operator.source]!);
  if (!traits.widensPanels) return none;
  const panels = target.channels / panelChannels;
  return { ...none, panel: (parts[operator.weights]!.bytes / panels) * 2 };
}
