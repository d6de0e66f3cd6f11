import { removeDeadNodes } from '../../onnx/graph-edit.ts';
import { liftConstants } from '../../onnx/lift-constants.ts';
import { UnsupportedGraphError } from '../../onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxModel, OnnxNode } from '../../onnx/onnx-graph.ts';
import { datatypeCodes } from '../../onnx/onnx-tensor.ts';
import type { Shape } from '../../onnx/shape.ts';
import { inferShapes } from '../../onnx/shape-inference.ts';
import { toSinglePrecision } from '../../onnx/single-precision.ts';
import { assertIntegerBody } from './assert-integer-body.ts';
import { canonicaliseClassifier } from './canonical-classifier.ts';
import { canonicaliseClips } from './canonical-clip.ts';
import { canonicaliseConvHead } from './canonical-conv-head.ts';
import { canonicalisePooling } from './canonical-pooling.ts';
import { dropInertNodes } from './drop-inert-nodes.ts';
import { makePaddingExplicit } from './explicit-padding.ts';
import { findFloatHead } from './find-float-head.ts';
import { foldAffine } from './fold-affine.ts';
import { foldDenseAffine } from './fold-dense-affine.ts';

export interface NormalisedGraph {
  /** Conv (with bias or without), Relu, Clip (a ReLU6), Add, MaxPool, AveragePool, GlobalAveragePool, Flatten, Gemm: opset 13. */
  readonly graph: OnnxGraph;
  /** Nodes behind the pooled features that stay in floats; none where one layer follows, which is quantized. */
  readonly head: ReadonlySet<OnnxNode>;
  /** [channels, height, width]. */
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
  readonly notes: readonly string[];
}

/**
 * Older operator sets broadcast in another way. There is no limit for newer ones, because the operators of a ResNet have
 * kept their meaning through operator set 25, and an unknown node is refused by name.
 */
const oldestOpset = 7;

/**
 * Brings a network of any exporter to one form. The result computes the same, up to rounding where scales are folded into
 * weights; the batch becomes free.
 *
 * @param model is consumed: its graph is rewritten in place.
 * @param imageElements length of one CHW image, for graphs that leave height and width free.
 * @throws {UnsupportedGraphError} Naming the node and the reason, if it is not a ResNet of a kind known here.
 */
export function normaliseGraph(model: OnnxModel, imageElements: number): NormalisedGraph {
  const { graph } = model;
  const opset = model.opsets.get('') ?? 0;
  if (opset < oldestOpset) {
    throw new UnsupportedGraphError(
      undefined,
      `the model has opset ${opset}; export it with ${oldestOpset} or later`,
    );
  }
  assertPlainOperators(graph);
  liftConstants(graph);
  toSinglePrecision(graph);
  const notes = dropInertNodes(graph);
  canonicaliseClips(graph);
  // An old way to write a residual connection.
  for (const node of graph.nodes) if (node.opType === 'Sum' && node.inputs.length === 2) node.opType = 'Add';

  const imageShape = toImageShape(graph, imageElements);
  const [input, output] = [graph.inputs[0], graph.outputs[0]];
  if (input === undefined || output === undefined || graph.inputs.length + graph.outputs.length !== 2) {
    throw new UnsupportedGraphError(
      undefined,
      `the model must have one input and one output, has ${graph.inputs.length} and ${graph.outputs.length}`,
    );
  }
  const declaredBatch = input.shape?.[0];
  const fixedBatch = typeof declaredBatch === 'number' ? declaredBatch : undefined;
  const shapesNow = () => inferShapes(graph, ['batch', ...imageShape], fixedBatch);

  canonicalisePooling(graph, shapesNow());
  removeDeadNodes(graph);
  makePaddingExplicit(graph, shapesNow());
  canonicaliseConvHead(graph, shapesNow());
  canonicaliseClassifier(graph);
  foldAffine(graph, shapesNow());
  foldDenseAffine(graph, shapesNow());
  removeDeadNodes(graph);

  const inferred = shapesNow();
  const head = findFloatHead(graph, inferred);
  if (head.size > 0) notes.push(`the head behind the pooled features (${head.size} nodes) stays in floats`);
  assertIntegerBody(graph, inferred, head);
  const outputShape = inferred.shapes.get(output.name) as Shape;
  const toDeclared = (shape: Shape) => shape.map((size) => (size === 'batch' ? 'N' : size));
  graph.inputs = [{ name: input.name, elementType: datatypeCodes.FP32, shape: ['N', ...imageShape] }];
  graph.outputs = [{ name: output.name, elementType: datatypeCodes.FP32, shape: toDeclared(outputShape) }];
  nameNodes(graph.nodes);
  return { graph, head, imageShape, classes: outputShape[1] as number, notes };
}

function assertPlainOperators(graph: OnnxGraph): void {
  for (const node of graph.nodes) {
    if (node.domain !== '') throw new UnsupportedGraphError(node, `is of operator domain '${node.domain}'`);
    if (node.opType === 'QuantizeLinear' || node.opType === 'DequantizeLinear') {
      throw new UnsupportedGraphError(node, 'the model is quantized already');
    }
  }
}

/** Declared sizes first; free channels from the first convolution, free sides from a square image. */
function toImageShape(graph: OnnxGraph, imageElements: number): [number, number, number] {
  const shape = graph.inputs[0]?.shape;
  if (shape !== undefined && shape.length !== 4) {
    throw new UnsupportedGraphError(
      undefined,
      `the input must be [batch, channels, height, width], is [${shape}]`,
    );
  }
  const [, channels, height, width] = shape ?? [];
  const firstConv = graph.nodes.find((node) => node.opType === 'Conv');
  const c =
    typeof channels === 'number' ? channels : graph.initializers.get(firstConv?.inputs[1] ?? '')?.shape[1];
  if (c === undefined)
    throw new UnsupportedGraphError(firstConv, 'the number of input channels is not known');
  const side = Math.round(Math.sqrt(imageElements / c));
  const h = typeof height === 'number' ? height : side;
  const w = typeof width === 'number' ? width : side;
  if (c * h * w !== imageElements) {
    throw new UnsupportedGraphError(
      undefined,
      `the model takes images of [${c}, ${h}, ${w}], the calibration image has ${imageElements} elements`,
    );
  }
  return [c, h, w];
}

/** Some exporters leave node names out; reports and the quantized graph need them. */
function nameNodes(nodes: OnnxNode[]): void {
  for (const node of nodes) if (node.name === '') node.name = `${node.opType}_${node.outputs[0]}`;
}
