import {
  blockPixels,
  convDescriptorBytes,
  type KernelTraits,
  panelChannels,
  pixelEntryBytes,
  scratch,
  winogradSkew,
} from './kernels/layout.ts';
import { alignUp, type Plan, type PlanOperator } from './plan.ts';

/** Where everything lies in a session's linear memory; byte offsets, each a multiple of 64. */
export interface MemoryLayout {
  readonly elementBytes: 1 | 2;
  readonly descriptors: number;
  /** Table of a block of pixels. */
  readonly pixels: number;
  /** Address of each part of the weights. */
  readonly parts: readonly number[];
  readonly arena: number;
  /** One weight panel in int16; plain kernels only. */
  readonly panel: number;
  readonly transformed: number;
  readonly products: number;
  /** FP32 image, NCHW; shares memory with Winograd's scratch. */
  readonly image: number;
  readonly logits: number;
  readonly end: number;
}

/** Kernels read up to one vector step past what they need; nothing they find there is used. */
const slackBytes = 4096;

/** @param traits of the kernel set that will run the plan. */
export function layOutMemory(plan: Plan, { elementBytes, winograd, widensPanels }: KernelTraits): MemoryLayout {
  let top: number = scratch.end;
  const take = (bytes: number): number => {
    const start = top;
    top = alignUp(top + bytes);
    return start;
  };
  const transformedBytes = winograd ? alignUp(plan.transformed_bytes + slackBytes) : 0;
  const productBytes = winograd ? plan.product_bytes + slackBytes : 0;
  const imageBytes = 3 * plan.input.height * plan.input.width * 4;
  const places = {
    descriptors: take(plan.operators.length * convDescriptorBytes),
    pixels: take(blockPixels * pixelEntryBytes),
    parts: plan.parts.map(({ bytes }) => take(bytes)),
    panel: take(widensPanels ? Math.max(0, ...plan.operators.map((operator) => panelBytes(operator, plan))) : 0),
    arena: take(plan.arena_elements * elementBytes + slackBytes),
    // The image has been read before the first convolution needs its scratch.
    image: take(Math.max(imageBytes, transformedBytes + productBytes)),
    logits: take((plan.output.classes + 8) * 4),
  };
  return {
    ...places,
    elementBytes,
    transformed: places.image,
    products: places.image + transformedBytes,
    end: top,
  };
}

function panelBytes(operator: PlanOperator, { parts, tensors }: Plan): number {
  if (operator.type !== 'convolve') return 0;
  const { weights, target, winograd } = operator;
  const panels = tensors[target]!.channels / panelChannels;
  const bytes = parts[weights]!.bytes / panels;
  // 9 int8 weights become as many int16, or one for each position of a tile.
  const positions = (winograd + 2) ** 2;
  return winograd ? (bytes / 9) * positions * 2 + positions * winogradSkew : bytes * 2;
}
