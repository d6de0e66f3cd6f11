import type {
  AttributeValue,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
} from '../../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { datatypeCodes, fp32Tensor, type OnnxTensor } from '../../../src/toolchain/onnx/onnx-tensor.ts';
import { buildResnet, type ResnetSpelling } from '../quantize/resnet-builder.ts';

/** A node of one data input, with constants behind it. */
export interface Wrapping {
  readonly opType: string;
  readonly constants?: readonly OnnxTensor[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Whether the constant comes first: `1 - x`. */
  readonly isReversed?: boolean;
}

export const ints = (value: readonly number[]): AttributeValue => ({ type: 'INTS', value });
export const int = (value: number): AttributeValue => ({ type: 'INT', value });
export const castTo = (type: keyof typeof datatypeCodes): Wrapping => ({
  opType: 'Cast',
  attributes: { to: int(datatypeCodes[type]) },
});
export const scalar = (value: number): OnnxTensor => fp32Tensor([], Float32Array.of(value));
export const perChannel = (values: readonly number[], shape = [1, 3, 1, 1]): OnnxTensor =>
  fp32Tensor(shape, Float32Array.from(values));

/** The small ResNet of resnet-builder.ts with nodes before its input and behind its output. */
export function wrapResnet(
  { before = [], behind = [], input }: WrapOptions,
  spelling: Partial<ResnetSpelling> = {},
): OnnxModel {
  const model = parseModel(buildResnet({ opset: 13, norm: 'folded', ...spelling }));
  const { graph } = model;
  if (before.length > 0) {
    rename(graph, 'data', 'prepared');
    graph.nodes.unshift(...chain(graph, before, 'data', 'prepared'));
  }
  if (behind.length > 0) {
    rename(graph, 'logits', 'bare');
    graph.nodes.push(...chain(graph, behind, 'bare', 'logits'));
  }
  graph.outputs = [{ name: 'logits', elementType: 0, shape: undefined }];
  if (input) graph.inputs = [{ name: 'data', elementType: datatypeCodes[input.type], shape: input.shape }];
  return model;
}

interface WrapOptions {
  readonly before?: readonly Wrapping[];
  readonly behind?: readonly Wrapping[];
  readonly input?: {
    readonly type: keyof typeof datatypeCodes;
    readonly shape: readonly (number | string)[];
  };
}

function chain(graph: OnnxGraph, wrappings: readonly Wrapping[], from: string, to: string): OnnxNode[] {
  return wrappings.map(({ opType, constants = [], attributes = {}, isReversed }, i) => {
    const names = constants.map((constant, j) => {
      const name = `${to}_constant_${i}_${j}`;
      graph.initializers.set(name, constant);
      return name;
    });
    const data = i === 0 ? from : `${to}_${i - 1}`;
    return {
      name: `${to}_${opType}_${i}`,
      opType,
      domain: '',
      inputs: isReversed ? [...names, data] : [data, ...names],
      outputs: [i === wrappings.length - 1 ? to : `${to}_${i}`],
      attributes: new Map(Object.entries(attributes)),
    };
  });
}

function rename(graph: OnnxGraph, from: string, to: string): void {
  const change = (name: string) => (name === from ? to : name);
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map(change);
    node.outputs = node.outputs.map(change);
  }
}
