import type { OnnxTensor } from './onnx-tensor.ts';

/** A size that the exporter fixed, or the name of a free size ('' if it has no name). */
export type DeclaredDimension = number | string;

/** A graph input or output. `shape` is undefined where the exporter declared none. */
export interface ValueInfo {
  readonly name: string;
  /** TensorProto.DataType number. */
  readonly elementType: number;
  readonly shape: readonly DeclaredDimension[] | undefined;
}

export type AttributeValue =
  | { readonly type: 'INT'; readonly value: number }
  | { readonly type: 'FLOAT'; readonly value: number }
  | { readonly type: 'STRING'; readonly value: string }
  | { readonly type: 'INTS'; readonly value: readonly number[] }
  | { readonly type: 'FLOATS'; readonly value: readonly number[] }
  | { readonly type: 'STRINGS'; readonly value: readonly string[] }
  | { readonly type: 'TENSOR'; readonly value: OnnxTensor };

/** An omitted optional input is ''. Mutable, so that build-time passes can rewire a graph in place. */
export interface OnnxNode {
  name: string;
  opType: string;
  /** '' is ONNX's own operator set. */
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, AttributeValue>;
}

export interface OnnxGraph {
  name: string;
  /** Only real inputs, without those that an initializer fills, which old exporters list too. */
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  /** In topological order. */
  nodes: OnnxNode[];
  initializers: Map<string, OnnxTensor>;
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion?: string;
  /** Operator set version by domain; '' is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
}

/** The producer and the consumers of each tensor. A snapshot: build it again after changing the graph. */
export interface GraphIndex {
  readonly producers: ReadonlyMap<string, OnnxNode>;
  /** One entry per reading input, so a node that reads a tensor twice is listed twice. */
  readonly consumers: ReadonlyMap<string, readonly OnnxNode[]>;
  readonly outputNames: ReadonlySet<string>;
}

export function indexGraph(graph: OnnxGraph): GraphIndex {
  const producers = new Map<string, OnnxNode>();
  const consumers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== '') producers.set(output, node);
    for (const input of node.inputs) {
      if (input === '') continue;
      const readers = consumers.get(input);
      if (readers === undefined) consumers.set(input, [node]);
      else readers.push(node);
    }
  }
  return { producers, consumers, outputNames: new Set(graph.outputs.map((output) => output.name)) };
}

/** @returns The one node that reads `tensor`, or undefined if several do or it leaves the graph. */
export function soleConsumer(index: GraphIndex, tensor: string): OnnxNode | undefined {
  const readers = index.consumers.get(tensor) ?? [];
  return readers.length === 1 && !index.outputNames.has(tensor) ? readers[0] : undefined;
}
