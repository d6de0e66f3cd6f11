import { intAttribute, intsAttribute, stringAttribute } from './onnx-attribute.ts';
import { UnsupportedGraphError } from './onnx-errors.ts';
import type { OnnxNode } from './onnx-graph.ts';
import type { Dimension, Shape } from './shape.ts';

/** The sliding window of a Conv or pooling node over [batch, channels, height, width]. */
export interface Window {
  /** [height, width] each. */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** [top, left, bottom, right]; auto_pad is resolved. */
  readonly pads: readonly [number, number, number, number];
  readonly ceilMode: boolean;
  /** [height, width] of the output. */
  readonly output: readonly [number, number];
}

function pairOf(node: OnnxNode, name: string, fallback: readonly number[] | undefined): [number, number] {
  const values = intsAttribute(node, name) ?? fallback;
  if (values?.length !== 2 || values.some((value) => value < 1)) {
    throw new UnsupportedGraphError(node, `${name} must be two positive numbers, got: [${values ?? ''}]`);
  }
  return [values[0] as number, values[1] as number];
}

/**
 * @param input shape of the node's data input.
 * @param weightKernel spatial shape of a Conv's weights, where its kernel_shape may be left out.
 * @throws {UnsupportedGraphError} If the node is not two-dimensional or its output would be empty.
 * @see https://onnx.ai/onnx/operators/onnx__Conv.html, onnx__MaxPool.html for auto_pad and ceil_mode.
 */
export function toWindow(node: OnnxNode, input: Shape, weightKernel?: readonly number[]): Window {
  const sizes = input.slice(2);
  if (input.length !== 4 || sizes.includes('batch')) {
    throw new UnsupportedGraphError(node, `needs a [batch, channels, height, width] input, got: [${input}]`);
  }
  const kernel = pairOf(node, 'kernel_shape', weightKernel);
  const strides = pairOf(node, 'strides', [1, 1]);
  const dilations = pairOf(node, 'dilations', [1, 1]);
  const ceilMode = intAttribute(node, 'ceil_mode', 0) === 1;
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET');
  const given = autoPad === 'NOTSET' ? (intsAttribute(node, 'pads') ?? [0, 0, 0, 0]) : [0, 0, 0, 0];
  if (given.length !== 4 || given.some((pad) => pad < 0)) {
    throw new UnsupportedGraphError(node, `pads must be four numbers of at least 0, got: [${given}]`);
  }
  const pads = [...given] as [number, number, number, number];
  const output = [0, 1].map((axis) => {
    const size = sizes[axis] as number;
    const stride = strides[axis] as number;
    const reach = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1;
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
      const length = Math.ceil(size / stride);
      const total = Math.max((length - 1) * stride + reach - size, 0);
      const small = Math.floor(total / 2);
      pads[axis] = autoPad === 'SAME_UPPER' ? small : total - small;
      pads[axis + 2] = total - (pads[axis] as number);
      return length;
    }
    const span = size + (pads[axis] as number) + (pads[axis + 2] as number) - reach;
    const length = (ceilMode ? Math.ceil(span / stride) : Math.floor(span / stride)) + 1;
    // A last window that would start beyond the input and its left padding does not exist.
    return ceilMode && (length - 1) * stride >= size + (pads[axis] as number) ? length - 1 : length;
  }) as [number, number];
  if (output.some((length) => length < 1)) {
    throw new UnsupportedGraphError(node, `its window does not fit an input of [${input}]`);
  }
  return { kernel, strides, dilations, pads, ceilMode, output };
}

export function inferConv(node: OnnxNode, input: Shape, weights: Shape): Shape {
  const [outputChannels, groupChannels, ...kernel] = weights as readonly number[];
  if (weights.length !== 4) {
    throw new UnsupportedGraphError(
      node,
      `only two-dimensional convolutions, weights have shape [${weights}]`,
    );
  }
  const group = intAttribute(node, 'group', 1);
  if (input[1] !== (groupChannels as number) * group) {
    throw new UnsupportedGraphError(
      node,
      `weights [${weights}] in ${group} groups do not fit an input of [${input}]`,
    );
  }
  const window = toWindow(node, input, kernel);
  if (window.kernel.join() !== kernel.join()) {
    throw new UnsupportedGraphError(node, `kernel_shape [${window.kernel}] contradicts weights [${weights}]`);
  }
  return [input[0] as Dimension, outputChannels as Dimension, ...window.output];
}

export function inferPool(node: OnnxNode, input: Shape): Shape {
  return [...input.slice(0, 2), ...toWindow(node, input).output];
}
