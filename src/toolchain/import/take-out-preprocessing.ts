import { redirectReaders, removeDeadNodes, toFreshName } from '../onnx/graph-edit.ts';
import { intAttribute, intsAttribute } from '../onnx/onnx-attribute.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxNode, soleConsumer } from '../onnx/onnx-graph.ts';
import { datatypeCodes, toFloat32 } from '../onnx/onnx-tensor.ts';
import { findTurn } from './find-turn.ts';

export type Layout = 'NCHW' | 'NHWC';

/** What a graph does to its input before the network proper begins. */
export interface GraphPreprocessing {
  /** Layout of the original input. */
  readonly layout: Layout;
  /** The network's order of channels: 'bgr' if the graph turns them around. */
  readonly channelOrder: 'rgb' | 'bgr';
  /** `input * scale + shift`, a pair for each channel in the network's order; undefined if it leaves values as they are. */
  readonly affine: { readonly scale: readonly number[]; readonly shift: readonly number[] } | undefined;
  /** In the order of the graph, e.g. `Cast, Div, Sub, Div`. */
  readonly operators: readonly string[];
}

const imageChannels = 3;

interface State {
  readonly name: string;
  readonly layout: Layout;
  readonly flipped: boolean;
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/**
 * Removes a graph's preprocessing: casts, a transposition, a reversal of the channels, and arithmetic with a mean, a
 * standard deviation or 1/255. Otherwise service and graph would both do it. The rest of the graph reads FP32 NCHW.
 *
 * @param graph is rewritten in place; its constants are initializers (foldConstants).
 * @throws {UnsupportedGraphError} if the input is not an image of three channels, or is multiplied by a negative number.
 */
export function takeOutPreprocessing(graph: OnnxGraph): GraphPreprocessing {
  const input = graph.inputs[0]!;
  const shape = input.shape;
  if (shape !== undefined && shape.length !== 4) {
    throw new UnsupportedGraphError(
      undefined,
      `the input '${input.name}' has shape [${shape}]: an image is [batch, 3, height, width] or [batch, height, width, 3]`,
    );
  }
  const layout = toLayout(input.name, shape);
  const begin: State = { name: input.name, layout, flipped: false, scale: [1, 1, 1], shift: [0, 0, 0] };
  const operators: string[] = [];
  const index = indexGraph(graph);
  let state = begin;
  for (;;) {
    const turned = findTurn(index, state, graph);
    const node = turned ?? soleConsumer(index, state.name);
    const next = turned ? turn(turned, state) : node && step(node, state, graph);
    if (!node || !next) break;
    operators.push(node.opType);
    state = next;
  }
  if (state.scale.some((scale) => !(scale > 0))) {
    throw new UnsupportedGraphError(
      undefined,
      'the graph multiplies its input by a number that is not above 0',
    );
  }
  replaceInput(graph, state);
  const isPlain = state.scale.every((scale) => scale === 1) && state.shift.every((shift) => shift === 0);
  return {
    layout,
    channelOrder: state.flipped ? 'bgr' : 'rgb',
    affine: isPlain ? undefined : { scale: state.scale, shift: state.shift },
    operators,
  };
}

function toLayout(name: string, shape: readonly (number | string)[] | undefined): Layout {
  const [, second, , last] = shape ?? [];
  if (second === imageChannels || second === undefined) return 'NCHW';
  if (last === imageChannels) return 'NHWC';
  if (typeof second === 'number') {
    throw new UnsupportedGraphError(
      undefined,
      `the input '${name}' has shape [${shape}]: an image has 3 channels`,
    );
  }
  return 'NCHW';
}

/** @returns the state behind the node, or undefined if the network proper begins with it. */
function step(node: OnnxNode, state: State, graph: OnnxGraph): State | undefined {
  const name = node.outputs[0]!;
  switch (node.opType) {
    case 'Identity':
      return { ...state, name };
    case 'Cast':
      return intAttribute(node, 'to', 0) === datatypeCodes.FP32 ? { ...state, name } : undefined;
    case 'Transpose': {
      const isToNchw = intsAttribute(node, 'perm')?.join() === '0,3,1,2';
      return isToNchw && state.layout === 'NHWC' ? { ...state, name, layout: 'NCHW' } : undefined;
    }
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
      return stepArithmetic(node, state, graph);
    default:
      return undefined;
  }
}

/** The state behind a node that gives the channels the other way round. */
function turn({ outputs: [name = ''] }: OnnxNode, state: State): State {
  const { flipped, scale, shift } = state;
  return { ...state, name, flipped: !flipped, scale: scale.toReversed(), shift: shift.toReversed() };
}

function stepArithmetic(node: OnnxNode, state: State, graph: OnnxGraph): State | undefined {
  const isSecond = node.inputs[0] === state.name;
  const constant = readChannels(node.inputs[isSecond ? 1 : 0] ?? '', state.layout, graph);
  if (!constant) return undefined;
  const each = (change: (value: number, by: number) => number, values: readonly number[]) =>
    values.map((value, channel) => change(value, constant[channel]!));
  const name = node.outputs[0]!;
  switch (node.opType) {
    case 'Add':
      return { ...state, name, shift: each((shift, by) => shift + by, state.shift) };
    case 'Sub':
      if (!isSecond) return undefined;
      return { ...state, name, shift: each((shift, by) => shift - by, state.shift) };
    case 'Mul': {
      const times = (value: number, by: number) => value * by;
      return { ...state, name, scale: each(times, state.scale), shift: each(times, state.shift) };
    }
    default: {
      if (!isSecond) return undefined;
      const over = (value: number, by: number) => value / by;
      return { ...state, name, scale: each(over, state.scale), shift: each(over, state.shift) };
    }
  }
}

/** @returns a constant as one number for each channel, if it is one number, or one for each of them. */
function readChannels(name: string, layout: Layout, graph: OnnxGraph): readonly number[] | undefined {
  const tensor = graph.initializers.get(name);
  if (!tensor || !/^FP/.test(tensor.datatype)) return undefined;
  const values = Array.from(toFloat32(tensor, name));
  if (values.length === 1) return [values[0]!, values[0]!, values[0]!];
  const axis = layout === 'NHWC' ? -1 : -imageChannels;
  const isPerChannel = values.length === imageChannels && tensor.shape.at(axis) === imageChannels;
  return isPerChannel ? values : undefined;
}

/** FP32 NCHW takes the old input's place, and its name; a graph that goes on in NHWC gets it transposed. */
function replaceInput(graph: OnnxGraph, { name, layout }: State): void {
  const input = graph.inputs[0]!;
  const [batch, ...sizes] = input.shape ?? ['N', imageChannels, '', ''];
  const wasNhwc = toLayout(input.name, input.shape) === 'NHWC';
  const [height, width] = wasNhwc ? sizes : sizes.slice(1);
  const wasBytes = input.elementType === datatypeCodes.UINT8 && name === input.name;
  graph.inputs = [
    {
      name: input.name,
      elementType: datatypeCodes.FP32,
      shape: [batch!, imageChannels, height ?? '', width ?? ''],
    },
  ];
  let source = input.name;
  const inserted: OnnxNode[] = [];
  const insert = (opType: string, attributes: OnnxNode['attributes']) => {
    const output = toFreshName(graph, `${input.name}_${opType.toLowerCase()}`);
    inserted.push({ name: output, opType, domain: '', inputs: [source], outputs: [output], attributes });
    source = output;
  };
  if (layout === 'NHWC') insert('Transpose', new Map([['perm', { type: 'INTS', value: [0, 2, 3, 1] }]]));
  if (wasBytes) insert('Cast', new Map([['to', { type: 'INT', value: datatypeCodes.UINT8 }]]));
  redirectReaders(graph, name, source);
  graph.nodes.unshift(...inserted);
  if (name !== input.name) removeDeadNodes(graph);
}
