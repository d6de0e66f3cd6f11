import { OnnxFormatError, UnsupportedGraphError } from './onnx-errors.ts';
import type { AttributeValue, OnnxNode } from './onnx-graph.ts';
import type { AttributeProto } from './onnx-proto.ts';
import { type OnnxTensor, parseTensor, toTensorProto } from './onnx-tensor.ts';

/** AttributeProto.AttributeType of the kinds a ResNet has. */
const typeCodes = { FLOAT: 1, INT: 2, STRING: 3, TENSOR: 4, FLOATS: 6, INTS: 7, STRINGS: 8 } as const;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * @returns undefined for an attribute without a value.
 * @throws {UnsupportedGraphError} If the attribute is a subgraph or another type no ResNet has.
 */
export function parseAttribute(proto: AttributeProto, node: OnnxNode): AttributeValue | undefined {
  const has = (field: keyof AttributeProto) => Object.hasOwn(proto, field);
  // IR versions below 2 leave `type` out: the field that is present tells.
  switch (proto.type || guessType(has)) {
    case typeCodes.FLOAT:
      return { type: 'FLOAT', value: proto.f ?? 0 };
    case typeCodes.INT:
      return { type: 'INT', value: Number(proto.i ?? 0) };
    case typeCodes.STRING:
      return { type: 'STRING', value: decoder.decode(proto.s ?? new Uint8Array()) };
    case typeCodes.TENSOR:
      if (proto.t === undefined || proto.t === null) {
        throw new OnnxFormatError(`node '${node.name}': attribute '${proto.name}' has no tensor`);
      }
      return { type: 'TENSOR', value: parseTensor(proto.t) };
    case typeCodes.FLOATS:
      return { type: 'FLOATS', value: [...(proto.floats ?? [])] };
    case typeCodes.INTS:
      return { type: 'INTS', value: (proto.ints ?? []).map(Number) };
    case typeCodes.STRINGS:
      return { type: 'STRINGS', value: (proto.strings ?? []).map((bytes) => decoder.decode(bytes)) };
    case 0:
      return undefined;
    default:
      throw new UnsupportedGraphError(
        node,
        `attribute '${proto.name}' is a subgraph or another type no ResNet has`,
      );
  }
}

function guessType(has: (field: keyof AttributeProto) => boolean): number {
  if (has('f')) return typeCodes.FLOAT;
  if (has('i')) return typeCodes.INT;
  if (has('s')) return typeCodes.STRING;
  if (has('t')) return typeCodes.TENSOR;
  if (has('floats')) return typeCodes.FLOATS;
  if (has('ints')) return typeCodes.INTS;
  if (has('strings')) return typeCodes.STRINGS;
  return has('g') || has('graphs') || has('tensors') ? -1 : 0;
}

export function toAttributeProto(name: string, attribute: AttributeValue): AttributeProto {
  const type = typeCodes[attribute.type];
  switch (attribute.type) {
    case 'FLOAT':
      return { name, type, f: attribute.value };
    case 'INT':
      return { name, type, i: attribute.value };
    case 'STRING':
      return { name, type, s: encoder.encode(attribute.value) };
    case 'TENSOR':
      return { name, type, t: toTensorProto('', attribute.value) };
    case 'FLOATS':
      return { name, type, floats: [...attribute.value] };
    case 'INTS':
      return { name, type, ints: [...attribute.value] };
    case 'STRINGS':
      return { name, type, strings: attribute.value.map((text) => encoder.encode(text)) };
  }
}

function wrongType(node: OnnxNode, name: string, wanted: string, got: string): OnnxFormatError {
  return new OnnxFormatError(
    `node '${node.name || node.outputs[0]}': attribute '${name}' must be ${wanted}, is ${got}`,
  );
}

/** @returns The attribute, or `fallback` (the operator's documented default) where it is absent. */
export function intAttribute(node: OnnxNode, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return fallback;
  if (attribute.type !== 'INT') throw wrongType(node, name, 'INT', attribute.type);
  return attribute.value;
}

export function floatAttribute(node: OnnxNode, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return fallback;
  if (attribute.type !== 'FLOAT') throw wrongType(node, name, 'FLOAT', attribute.type);
  return attribute.value;
}

export function stringAttribute(node: OnnxNode, name: string, fallback: string): string {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return fallback;
  if (attribute.type !== 'STRING') throw wrongType(node, name, 'STRING', attribute.type);
  return attribute.value;
}

export function intsAttribute(node: OnnxNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return undefined;
  if (attribute.type !== 'INTS') throw wrongType(node, name, 'INTS', attribute.type);
  return attribute.value;
}

export function tensorAttribute(node: OnnxNode, name: string): OnnxTensor | undefined {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return undefined;
  if (attribute.type !== 'TENSOR') throw wrongType(node, name, 'TENSOR', attribute.type);
  return attribute.value;
}
