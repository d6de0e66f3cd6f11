import type {
  AttributeValue,
  DeclaredDimension,
  OnnxGraph,
  OnnxNode,
} from '../../../src/toolchain/onnx/onnx-graph.ts';
import { serialiseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import {
  datatypeCodes,
  fp32Tensor,
  int64Tensor,
  type OnnxTensor,
} from '../../../src/toolchain/onnx/onnx-tensor.ts';
import { createRandom } from './seeded-random.ts';

/** How an exporter would have spelled the same small ResNet. */
export interface ResnetSpelling {
  readonly opset: number;
  readonly block?: 'basic' | 'bottleneck' | 'grouped' | 'preactivation';
  readonly stem?: '7x7' | 'padded-pool' | 'deep' | 'asymmetric' | 'auto-pad' | 'pad-node' | 'ceil-pool';
  readonly norm?: 'separate' | 'folded' | 'affine-add';
  readonly shortcut?: 'conv' | 'average-pool';
  readonly residual?: 'Add' | 'Sum';
  readonly pooling?: 'global' | 'reduce-mean-attribute' | 'reduce-mean-input' | 'average-pool';
  /** `none` goes with a ReduceMean that drops its axes. */
  readonly flatten?: 'flatten' | 'reshape-constant' | 'reshape-computed' | 'squeeze' | 'none';
  readonly classifier?: 'gemm' | 'gemm-plain' | 'matmul-add' | 'two-layers' | 'two-pools' | 'conv';
  readonly input?: readonly DeclaredDimension[];
  readonly initializersAsInputs?: boolean;
  readonly inertNodes?: boolean;
  readonly softmax?: boolean;
  readonly activation?: 'relu' | 'relu6';
  /** Subtracts a mean and divides by a deviation before the stem. */
  readonly normalisesInput?: boolean;
  /** Weights and body in half precision, between two casts. */
  readonly half?: boolean;
  readonly nodeNames?: boolean;
}

export const imageShape = [3, 32, 32] as const;
export const classCount = 10;

/** @returns A serialised model with random weights, the same ones for the same spelling. */
export function buildResnet(spelling: ResnetSpelling): Uint8Array {
  const random = createRandom(7);
  const graph: OnnxGraph = { name: 'resnet', inputs: [], outputs: [], nodes: [], initializers: new Map() };
  let serial = 0;

  const ints = (value: readonly number[]): AttributeValue => ({ type: 'INTS', value });
  function tensor(hint: string, value: OnnxTensor): string {
    const name = `${hint}_${serial++}`;
    if (spelling.inertNodes && value.datatype === 'INT64') {
      node('Constant', [], { value: { type: 'TENSOR', value } }, name);
    } else graph.initializers.set(name, value);
    return name;
  }
  function floats(hint: string, shape: number[], make: () => number): string {
    const length = shape.reduce((product, size) => product * size, 1);
    return tensor(hint, fp32Tensor(shape, Float32Array.from({ length }, make)));
  }
  function node(
    opType: string,
    inputs: string[],
    attributes: Record<string, AttributeValue> = {},
    output = `${opType}_${serial++}`,
  ): string {
    const made: OnnxNode = {
      name: spelling.nodeNames === false ? '' : `node_${output}`,
      opType,
      domain: '',
      inputs,
      outputs: [output],
      attributes: new Map(Object.entries(attributes)),
    };
    graph.nodes.push(made);
    return output;
  }

  function conv(
    x: string,
    from: number,
    to: number,
    kernel: number,
    stride: number,
    pads?: number[],
    group = 1,
  ): string {
    const deviation = Math.sqrt((2 * group) / (from * kernel * kernel));
    const weights = floats('weight', [to, from / group, kernel, kernel], () => random.normal() * deviation);
    const inputs = [x, weights];
    if (spelling.norm === 'folded') inputs.push(floats('bias', [to], () => random.normal() * 0.1));
    const half = (kernel - 1) / 2;
    const attributes: Record<string, AttributeValue> = {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      group: { type: 'INT', value: group },
    };
    if (spelling.stem === 'auto-pad') attributes.auto_pad = { type: 'STRING', value: 'SAME_UPPER' };
    else attributes.pads = ints(pads ?? [half, half, half, half]);
    return norm(node('Conv', inputs, attributes), to);
  }
  function norm(x: string, channels: number): string {
    if (spelling.norm === 'folded') return x;
    if (spelling.norm === 'affine-add') {
      return node('Add', [x, floats('shift', [channels, 1, 1], () => random.normal() * 0.1)]);
    }
    return batchNorm(x, channels);
  }
  function batchNorm(x: string, channels: number): string {
    const parameters = [
      floats('gamma', [channels], () => 0.8 + 0.4 * random.uniform()),
      floats('beta', [channels], () => random.normal() * 0.1),
      floats('mean', [channels], () => random.normal() * 0.1),
      floats('variance', [channels], () => 0.6 + 0.8 * random.uniform()),
    ];
    return node('BatchNormalization', [x, ...parameters], { epsilon: { type: 'FLOAT', value: 1e-5 } });
  }
  function relu(x: string): string {
    if (spelling.activation !== 'relu6') return node('Relu', [x]);
    if (spelling.opset < 11) {
      return node('Clip', [x], { min: { type: 'FLOAT', value: 0 }, max: { type: 'FLOAT', value: 6 } });
    }
    const ends = [0, 6].map((end) => tensor('end', fp32Tensor([], Float32Array.of(end))));
    return node('Clip', [x, ...ends]);
  }
  const add = (a: string, b: string) => relu(node(spelling.residual ?? 'Add', [a, b]));

  function stem(x: string): string {
    const max = (input: string, pads: number[]) =>
      node('MaxPool', [input], { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints(pads) });
    switch (spelling.stem) {
      case 'deep': {
        const first = relu(conv(x, 3, 8, 3, 2));
        return max(relu(conv(relu(conv(first, 8, 8, 3, 1)), 8, 8, 3, 1)), [1, 1, 1, 1]);
      }
      case 'ceil-pool':
        return node('MaxPool', [relu(conv(x, 3, 8, 7, 2))], {
          kernel_shape: ints([3, 3]),
          strides: ints([2, 2]),
          ceil_mode: { type: 'INT', value: 1 },
        });
      case 'asymmetric':
        return max(relu(conv(x, 3, 8, 7, 2, [3, 3, 2, 2])), [1, 1, 0, 0]);
      case 'padded-pool': {
        // Keras' ResNetV2: zeros around what no ReLU has been over, and they may win.
        const bare = conv(x, 3, 8, 7, 2);
        const amounts = [0, 0, 1, 1, 0, 0, 1, 1];
        const padded =
          spelling.opset < 11
            ? node('Pad', [bare], { pads: ints(amounts) })
            : node('Pad', [bare, tensor('pads', int64Tensor(amounts))]);
        return max(padded, [0, 0, 0, 0]);
      }
      case 'pad-node': {
        const amounts = [0, 0, 3, 3, 0, 0, 3, 3];
        const padded =
          spelling.opset < 11
            ? node('Pad', [x], { pads: ints(amounts), mode: { type: 'STRING', value: 'constant' } })
            : node('Pad', [x, tensor('pads', int64Tensor(amounts))]);
        return max(relu(conv(padded, 3, 8, 7, 2, [0, 0, 0, 0])), [1, 1, 1, 1]);
      }
      default:
        return max(relu(conv(x, 3, 8, 7, 2)), [1, 1, 1, 1]);
    }
  }
  function shortcut(x: string, from: number, to: number, stride: number): string {
    if (from === to && stride === 1) return x;
    if (spelling.shortcut !== 'average-pool' || stride === 1) return conv(x, from, to, 1, stride);
    const attributes = {
      kernel_shape: ints([2, 2]),
      strides: ints([2, 2]),
      ceil_mode: { type: 'INT', value: 1 },
    };
    return conv(node('AveragePool', [x], attributes as Record<string, AttributeValue>), from, to, 1, 1);
  }
  function block(x: string, from: number, to: number, stride: number): string {
    if (spelling.block === 'bottleneck' || spelling.block === 'grouped') {
      const group = spelling.block === 'grouped' ? 2 : 1;
      const narrow = relu(conv(x, from, to / 2, 1, 1));
      const middle = relu(conv(narrow, to / 2, to / 2, 3, stride, undefined, group));
      const body = conv(middle, to / 2, to, 1, 1);
      return add(body, shortcut(x, from, to, stride));
    }
    if (spelling.block === 'preactivation') {
      const active = relu(batchNorm(x, from));
      const body = conv(relu(conv(active, from, to, 3, stride)), to, to, 3, 1);
      return node('Add', [body, from === to && stride === 1 ? x : shortcut(active, from, to, stride)]);
    }
    const body = conv(relu(conv(x, from, to, 3, stride)), to, to, 3, 1);
    return add(body, shortcut(x, from, to, stride));
  }
  function pool(x: string): string {
    switch (spelling.pooling) {
      case 'reduce-mean-attribute':
      case 'reduce-mean-input': {
        const keepdims: AttributeValue = { type: 'INT', value: spelling.flatten === 'none' ? 0 : 1 };
        return spelling.pooling === 'reduce-mean-input'
          ? node('ReduceMean', [x, tensor('axes', int64Tensor([-1, -2]))], { keepdims })
          : node('ReduceMean', [x], { axes: ints([2, 3]), keepdims });
      }
      case 'average-pool':
        return node('AveragePool', [x], { kernel_shape: ints([4, 4]) });
      default:
        return node('GlobalAveragePool', [x]);
    }
  }
  function flatten(x: string): string {
    switch (spelling.flatten) {
      case 'none':
        return x;
      case 'reshape-constant': {
        const batch = typeof spelling.input?.[0] === 'number' ? spelling.input[0] : 0;
        return node('Reshape', [x, tensor('shape', int64Tensor([batch, -1]))]);
      }
      case 'reshape-computed': {
        const zero = tensor('zero', { datatype: 'INT64', shape: [], data: BigInt64Array.of(0n) });
        const size = node('Gather', [node('Shape', [x]), zero]);
        const axes = spelling.opset < 13 ? { axes: ints([0]) } : {};
        const extra = spelling.opset < 13 ? [] : [tensor('axes', int64Tensor([0]))];
        const parts = [node('Unsqueeze', [size, ...extra], axes), tensor('rest', int64Tensor([-1]))];
        return node('Reshape', [x, node('Concat', parts, { axis: { type: 'INT', value: 0 } })]);
      }
      case 'squeeze':
        return spelling.opset < 13
          ? node('Squeeze', [x], { axes: ints([2, 3]) })
          : node('Squeeze', [x, tensor('axes', int64Tensor([2, 3]))]);
      default:
        return node('Flatten', [x], { axis: { type: 'INT', value: 1 } });
    }
  }
  /** As fastai fine-tunes: the larger and the mean of each channel, BatchNorms between two layers. */
  function classifyTwoPools(x: string): string {
    const keepdims: AttributeValue = { type: 'INT', value: 1 };
    const reduce = (opType: string) => node(opType, [x, tensor('axes', int64Tensor([2, 3]))], { keepdims });
    const isOld = spelling.opset < 18;
    const pooled = [
      isOld ? node('GlobalMaxPool', [x]) : reduce('ReduceMax'),
      isOld ? node('GlobalAveragePool', [x]) : reduce('ReduceMean'),
    ];
    const joined = node('Concat', pooled, { axis: { type: 'INT', value: 1 } });
    const features = batchNorm(node('Flatten', [joined], { axis: { type: 'INT', value: 1 } }), 32);
    const transB: AttributeValue = { type: 'INT', value: 1 };
    const weight = () => random.normal() * 0.25;
    const hidden = relu(node('Gemm', [features, floats('fc1', [12, 32], weight)], { transB }));
    return node('Gemm', [batchNorm(hidden, 12), floats('fc2', [classCount, 12], weight)], { transB });
  }
  function classify(x: string): string {
    if (spelling.classifier === 'two-layers') {
      const bias = (size: number) => floats('fc_bias', [size], () => random.normal() * 0.1);
      const layer = (input: string, from: number, to: number) =>
        node('Gemm', [input, floats('fc', [from, to], () => random.normal() * 0.25), bias(to)]);
      return layer(relu(layer(x, 16, 24)), 24, classCount);
    }
    const weight = () => random.normal() * 0.25;
    const bias = floats('fc_bias', [classCount], () => random.normal() * 0.1);
    if (spelling.classifier === 'matmul-add') {
      return node('Add', [node('MatMul', [x, floats('fc', [16, classCount], weight)]), bias]);
    }
    if (spelling.classifier === 'gemm-plain') {
      return node('Gemm', [x, floats('fc', [16, classCount], weight), bias]);
    }
    const transB: AttributeValue = { type: 'INT', value: 1 };
    return node('Gemm', [x, floats('fc', [classCount, 16], weight), bias], { transB });
  }

  const inert = (x: string, opType: string) => (spelling.inertNodes ? node(opType, [x]) : x);
  const cast = (x: string, to: number) =>
    spelling.half ? node('Cast', [x], { to: { type: 'INT', value: to } }) : x;
  let x = cast('data', datatypeCodes.FP16);
  if (spelling.normalisesInput) {
    x = node('Sub', [x, floats('channel_mean', [1, 3, 1, 1], () => random.normal() * 0.3)]);
    x = node('Div', [x, floats('channel_std', [3, 1, 1], () => 0.7 + 0.6 * random.uniform())]);
  }
  x = inert(stem(x), 'Identity');
  x = block(x, 8, 8, 1);
  x = block(x, 8, 16, 2);
  if (spelling.block === 'preactivation') x = relu(batchNorm(x, 16));
  /** As a 1x1 convolution of what is pooled. */
  function classifyByConv(pooled: string): string {
    const bias = floats('fc_bias', [classCount], () => random.normal() * 0.1);
    const weights = floats('fc', [classCount, 16, 1, 1], () => random.normal() * 0.25);
    return flatten(node('Conv', [pooled, weights, bias], { kernel_shape: ints([1, 1]) }));
  }
  if (spelling.classifier === 'conv') x = classifyByConv(pool(x));
  else
    x =
      spelling.classifier === 'two-pools'
        ? classifyTwoPools(x)
        : classify(inert(flatten(pool(x)), 'Dropout'));
  x = cast(x, datatypeCodes.FP32);
  if (spelling.softmax) x = node('Softmax', [x], { axis: { type: 'INT', value: 1 } });
  if (spelling.half) toHalfPrecision(graph);
  const last = graph.nodes.at(-1) as OnnxNode;
  last.outputs = ['logits'];

  const input = spelling.input ?? ['N', ...imageShape];
  graph.inputs = [{ name: 'data', elementType: datatypeCodes.FP32, shape: input }];
  if (spelling.initializersAsInputs) {
    for (const [name, { datatype, shape }] of graph.initializers) {
      graph.inputs.push({ name, elementType: datatypeCodes[datatype], shape });
    }
  }
  graph.outputs = [{ name: 'logits', elementType: datatypeCodes.FP32, shape: [input[0] ?? 'N', classCount] }];
  return serialiseModel({
    irVersion: spelling.opset < 9 ? 3 : 8,
    producerName: 'resnet-builder',
    opsets: new Map([['', spelling.opset]]),
    graph,
  });
}

function toHalfPrecision(graph: OnnxGraph): void {
  for (const [name, tensor] of graph.initializers) {
    if (tensor.datatype !== 'FP32') continue;
    graph.initializers.set(name, {
      datatype: 'FP16',
      shape: tensor.shape,
      data: Uint16Array.from(tensor.data, toHalfBits),
    });
  }
}

/** Truncated, not rounded; subnormal halves become zero: a test's weights need no better. */
function toHalfBits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] as number;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
