import { panelChannels } from '../../engine/kernel-layout.ts';
import type { PlanTensor } from '../../engine/plan.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import type { OnnxNode } from '../onnx/onnx-graph.ts';
import { toWindow, type Window } from '../onnx/shape-of-window.ts';
import { roundUp } from './weight-packer.ts';

/** A tensor without an offset yet, whose border may still grow. */
export type DraftTensor = { -readonly [K in keyof Omit<PlanTensor, 'offset'>]: PlanTensor[K] } & {
  /** Channels of the graph; the engine may add padding. */
  readonly logicalChannels: number;
  /** Whether a window reads the border: then the border's value is fixed. */
  borderIsRead: boolean;
};

/** Quantized tensors of the graph, and the engine's tensors for them. */
export class TensorTable {
  readonly #drafts: DraftTensor[] = [];
  readonly #ids = new Map<string, number>();

  add(
    name: string,
    [height, width, channels]: readonly [number, number, number],
    zeroPoint: number,
    physicalChannels = roundUp(channels, panelChannels),
  ): number {
    const id = this.#drafts.length;
    this.#drafts.push({
      height,
      width,
      channels: physicalChannels,
      logicalChannels: channels,
      pad: { top: 0, left: 0, bottom: 0, right: 0 },
      zero_point: zeroPoint,
      border: 'zero',
      borderIsRead: false,
    });
    this.#ids.set(name, id);
    return id;
  }

  /** Gives a tensor a second name, for an operator that only changes its shape. */
  alias(name: string, id: number): void {
    this.#ids.set(name, id);
  }

  idOf(name: string): number | undefined {
    return this.#ids.get(name);
  }

  /** @throws {UnsupportedGraphError} if nothing before `node` makes the tensor. */
  find(node: OnnxNode, name: string): number {
    const id = this.#ids.get(name);
    if (id === undefined)
      throw new UnsupportedGraphError(node, `reads '${name}', which the engine does not make`);
    return id;
  }

  get(id: number): DraftTensor {
    return this.#drafts[id]!;
  }

  toPlan(): Omit<PlanTensor, 'offset'>[] {
    return this.#drafts.map(({ logicalChannels: _, borderIsRead: __, ...tensor }) => tensor);
  }
}

/** @param kernel of a convolution; a pool has it in its attributes. */
export function windowOf(node: OnnxNode, draft: DraftTensor, kernel: readonly number[] | undefined): Window {
  return toWindow(node, ['batch', draft.logicalChannels, draft.height, draft.width], kernel);
}

type Reach = Pick<Window, 'kernel' | 'strides' | 'pads' | 'output'>;

/** Grows the padding of a tensor for a window that reaches over its edge. @returns how far this window reaches. */
export function growPadding(
  draft: DraftTensor,
  { kernel, pads, strides, output }: Reach,
): DraftTensor['pad'] {
  // A window may need less padding at the end than it declares, because it never reads beyond its last position.
  const reach = {
    top: pads[0],
    left: pads[1],
    bottom: Math.max(0, (output[0] - 1) * strides[0] + kernel[0] - draft.height - pads[0]),
    right: Math.max(0, (output[1] - 1) * strides[1] + kernel[1] - draft.width - pads[1]),
  };
  draft.pad = {
    top: Math.max(draft.pad.top, reach.top),
    left: Math.max(draft.pad.left, reach.left),
    bottom: Math.max(draft.pad.bottom, reach.bottom),
    right: Math.max(draft.pad.right, reach.right),
  };
  return reach;
}

/**
 * The same for an operator's window, and fixes the value of the border that the window reads: see PlanTensor.
 *
 * @throws {UnsupportedGraphError} if another operator needs another value.
 */
export function claimBorder(
  node: OnnxNode,
  draft: DraftTensor,
  window: Reach,
  border: PlanTensor['border'],
): void {
  const { top, left, bottom, right } = growPadding(draft, window);
  if (Math.max(top, left, bottom, right) === 0) return;
  // A zero point of 0 is the lowest value itself.
  if (draft.borderIsRead && draft.border !== border && draft.zero_point !== 0) {
    throw new UnsupportedGraphError(
      node,
      'it looks over the edge of a tensor where another operator does, and one takes a maximum',
    );
  }
  draft.border = border;
  draft.borderIsRead = true;
}
