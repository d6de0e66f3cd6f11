import { intAttribute } from '../onnx/onnx-attribute.ts';
import { type GraphIndex, type OnnxGraph, type OnnxNode, soleConsumer } from '../onnx/onnx-graph.ts';
import { elementCount, toIntegers } from '../onnx/onnx-tensor.ts';

/** An image inside a graph. */
interface Image {
  readonly name: string;
  readonly layout: 'NCHW' | 'NHWC';
}

/**
 * Finds where a graph turns RGB into BGR, or back: a Gather of channels 2, 1, 0; a Slice from the last to the first; or,
 * as TensorFlow writes it, three Slices and a Concat.
 *
 * @returns the node that gives the turned image; undefined if nothing turns it.
 */
export function findTurn(index: GraphIndex, image: Image, graph: OnnxGraph): OnnxNode | undefined {
  const sole = soleConsumer(index, image.name);
  if (sole) return turnsChannels(sole, image, graph) ? sole : undefined;
  const slices = index.consumers.get(image.name) ?? [];
  const concat = soleConsumer(index, slices[0]?.outputs[0] ?? '');
  if (
    slices.length !== 3 ||
    concat?.opType !== 'Concat' ||
    !isChannelAxis(intAttribute(concat, 'axis', 0), image)
  ) {
    return undefined;
  }
  const order = concat.inputs.map((name) => {
    const slice = slices.find(({ outputs }) => outputs[0] === name);
    return slice && soleConsumer(index, name) === concat ? channelOf(slice, image, graph) : undefined;
  });
  return order.join() === '2,1,0' ? concat : undefined;
}

function turnsChannels(node: OnnxNode, image: Image, graph: OnnxGraph): boolean {
  if (node.opType === 'Gather') {
    const picked = readInts(node, 1, graph)?.map((channel) => (channel + 3) % 3);
    return isChannelAxis(intAttribute(node, 'axis', 0), image) && picked?.join() === '2,1,0';
  }
  const range = node.opType === 'Slice' ? channelRange(node, image, graph) : undefined;
  return (
    range !== undefined && range.step === -1 && (range.start === -1 || range.start >= 2) && range.end < -3
  );
}

/** @returns the one channel that a Slice gives. */
function channelOf(node: OnnxNode, image: Image, graph: OnnxGraph): number | undefined {
  const range = node.opType === 'Slice' ? channelRange(node, image, graph) : undefined;
  if (range?.step !== 1 || range.start < 0) return undefined;
  return Math.min(range.end, 3) === range.start + 1 ? range.start : undefined;
}

/** @returns what a Slice takes of the channels; undefined if it takes less than all of another axis. */
function channelRange(node: OnnxNode, image: Image, graph: OnnxGraph) {
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((position) => readInts(node, position, graph));
  const at = axes?.findIndex((axis) => isChannelAxis(axis, image)) ?? -1;
  if (!starts || !ends || !axes || at < 0) return undefined;
  const stepOf = (i: number) => steps?.[i] ?? 1;
  const isWhole = (i: number) => starts[i] === 0 && ends[i]! > 2 ** 30 && stepOf(i) === 1;
  if (axes.some((_, i) => i !== at && !isWhole(i))) return undefined;
  return { start: starts[at]!, end: ends[at]!, step: stepOf(at) };
}

function isChannelAxis(axis: number, { layout }: Image): boolean {
  return (axis + 4) % 4 === (layout === 'NHWC' ? 3 : 1);
}

function readInts(node: OnnxNode, position: number, graph: OnnxGraph): number[] | undefined {
  const name = node.inputs[position] ?? '';
  const tensor = graph.initializers.get(name);
  return tensor && elementCount(tensor.shape) <= 4 ? toIntegers(tensor, name) : undefined;
}
