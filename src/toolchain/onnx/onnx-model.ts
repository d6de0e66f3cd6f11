import { parseAttribute, toAttributeProto } from './onnx-attribute.ts';
import { OnnxFormatError, UnsupportedGraphError } from './onnx-errors.ts';
import type { AttributeValue, OnnxGraph, OnnxModel, OnnxNode, ValueInfo } from './onnx-graph.ts';
import {
  decodeModelProto,
  encodeModelProto,
  type GraphProto,
  type NodeProto,
  toSafeInteger,
  type ValueInfoProto,
} from './onnx-proto.ts';
import { parseTensor, type ReadExternal, toTensorProto } from './onnx-tensor.ts';

/**
 * @param bytes a serialised ModelProto.
 * @param readExternal gives the contents of tensors that lie in another file.
 * @returns The model as plain, mutable data. Doc strings, metadata and value_info are not carried over.
 * @throws {OnnxFormatError} If the bytes are no ONNX model, or its nodes are not in topological order.
 * @throws {UnsupportedGraphError} If it holds functions, sparse tensors or subgraphs, or external data that nothing reads.
 */
export function parseModel(bytes: Uint8Array, readExternal?: ReadExternal): OnnxModel {
  const proto = decodeModelProto(bytes);
  if ((proto.functions ?? []).length > 0) {
    throw new UnsupportedGraphError(undefined, 'the model defines functions; export it with them inlined');
  }
  const opsets = new Map(
    (proto.opsetImport ?? []).map((entry) => {
      const domain = entry.domain === 'ai.onnx' ? '' : (entry.domain ?? '');
      return [domain, toSafeInteger(entry.version ?? 0, `opset_import of '${domain}'`)];
    }),
  );
  return {
    irVersion: toSafeInteger(proto.irVersion ?? 0, 'ir_version'),
    producerName: proto.producerName ?? '',
    ...(proto.producerVersion && { producerVersion: proto.producerVersion }),
    opsets,
    graph: parseGraph(proto.graph as GraphProto, readExternal),
  };
}

function parseGraph(proto: GraphProto, readExternal: ReadExternal | undefined): OnnxGraph {
  if ((proto.sparseInitializer ?? []).length > 0) {
    throw new UnsupportedGraphError(undefined, 'the graph holds sparse initializers');
  }
  const initializers = new Map(
    (proto.initializer ?? []).map((tensor) => [tensor.name ?? '', parseTensor(tensor, readExternal)]),
  );
  const graph: OnnxGraph = {
    name: proto.name ?? '',
    inputs: (proto.input ?? []).map(parseValueInfo).filter((input) => !initializers.has(input.name)),
    outputs: (proto.output ?? []).map(parseValueInfo),
    nodes: (proto.node ?? []).map(parseNode),
    initializers,
  };
  assertOrdered(graph);
  return graph;
}

function parseNode(proto: NodeProto): OnnxNode {
  const node: OnnxNode = {
    name: proto.name ?? '',
    opType: proto.opType ?? '',
    domain: proto.domain === 'ai.onnx' ? '' : (proto.domain ?? ''),
    inputs: [...(proto.input ?? [])],
    outputs: [...(proto.output ?? [])],
    attributes: new Map<string, AttributeValue>(),
  };
  for (const attribute of proto.attribute ?? []) {
    const value = parseAttribute(attribute, node);
    if (value !== undefined) node.attributes.set(attribute.name ?? '', value);
  }
  return node;
}

function parseValueInfo(proto: ValueInfoProto): ValueInfo {
  const name = proto.name ?? '';
  const tensor = proto.type?.tensorType;
  const dims = tensor?.shape?.dim;
  return {
    name,
    elementType: tensor?.elemType ?? 0,
    shape: dims?.map((dim, i) => {
      if (Object.hasOwn(dim, 'dimParam')) return dim.dimParam ?? '';
      if (!Object.hasOwn(dim, 'dimValue')) return '';
      const size = toSafeInteger(dim.dimValue ?? 0, `'${name}' dim[${i}]`);
      // Zero and -1 stand for "free" in some exporters.
      return size > 0 ? size : '';
    }),
  };
}

function assertOrdered(graph: OnnxGraph): void {
  const known = new Set([...graph.initializers.keys(), ...graph.inputs.map((input) => input.name), '']);
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (known.has(input)) continue;
      throw new OnnxFormatError(
        `node '${node.name || node.outputs[0]}' (${node.opType}) reads '${input}', which nothing before it makes`,
      );
    }
    for (const output of node.outputs) {
      if (output !== '' && known.has(output)) throw new OnnxFormatError(`tensor '${output}' is made twice`);
      known.add(output);
    }
  }
  for (const { name } of graph.outputs) {
    if (!known.has(name)) throw new OnnxFormatError(`nothing makes the graph's output '${name}'`);
  }
}

/** @returns The serialised ModelProto; tensors in raw_data. Equal models give equal bytes. */
export function serialiseModel(model: OnnxModel): Uint8Array {
  const { graph } = model;
  return encodeModelProto({
    irVersion: model.irVersion,
    producerName: model.producerName,
    ...(model.producerVersion && { producerVersion: model.producerVersion }),
    opsetImport: [...model.opsets].map(([domain, version]) => ({ domain, version })),
    graph: {
      name: graph.name,
      node: graph.nodes.map((node) => ({
        name: node.name,
        opType: node.opType,
        domain: node.domain,
        input: node.inputs,
        output: node.outputs,
        attribute: [...node.attributes].map(([name, value]) => toAttributeProto(name, value)),
      })),
      initializer: [...graph.initializers].map(([name, tensor]) => toTensorProto(name, tensor)),
      input: graph.inputs.map(toValueInfoProto),
      output: graph.outputs.map(toValueInfoProto),
    },
  });
}

/** A type of 0 is left out: onnxruntime works it out. */
function toValueInfoProto({ name, elementType, shape }: ValueInfo): ValueInfoProto {
  const dims = shape?.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  if (elementType === 0) return { name };
  return {
    name,
    type: { tensorType: { elemType: elementType, ...(dims === undefined ? {} : { shape: { dim: dims } }) } },
  };
}
