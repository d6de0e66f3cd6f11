import { removeDeadNodes } from '../onnx/graph-edit.ts';
import { liftConstants } from '../onnx/lift-constants.ts';
import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import { indexGraph, type OnnxGraph, type OnnxModel, type OnnxNode } from '../onnx/onnx-graph.ts';
import { serialiseModel } from '../onnx/onnx-model.ts';
import { type OnnxTensor, toDatatype } from '../onnx/onnx-tensor.ts';
import { toSinglePrecision } from '../onnx/single-precision.ts';
import { assertSameAnswer, BatchError } from './assert-same-answer.ts';
import { splitLogit, takeOffActivation, toRow } from './canonical-output.ts';
import { behindInertNodes, chooseOutput } from './choose-output.ts';
import { dropDetours } from './drop-detours.ts';
import { foldConstants } from './fold-constants.ts';
import { freeBatch } from './free-batch.ts';
import { type Normalisation, toNormalisation } from './normalisation.ts';
import { runGraph, toNoise } from './run-graph.ts';
import { takeOutPreprocessing } from './take-out-preprocessing.ts';
import { makeActivationsUnsigned } from './unsigned-activations.ts';

export interface ImportGraphOptions {
  /** Side of the image where the graph leaves it free, in pixels. */
  readonly side: number;
  /** The tensor that holds the scores; may be left out if there is one output. */
  readonly output?: string | undefined;
}

/** A classifier in the form that is served: FP32 NCHW in, FP32 logits [batch, classes] out, with constants computed. */
export interface ImportedGraph {
  /** The serialised model. */
  readonly bytes: Uint8Array;
  readonly model: OnnxModel;
  /** Height and width of the image, in pixels. */
  readonly side: number;
  readonly input: string;
  readonly output: {
    readonly name: string;
    readonly classes: number;
    /** `probabilities` if the graph computes them with nodes that the import cannot remove. */
    readonly kind: 'logits' | 'probabilities';
    readonly scoring: 'softmax' | 'sigmoid';
  };
  /** The normalisation that the graph did itself, which is now in the manifest. */
  readonly normalisation: Normalisation | undefined;
  /** Whether the graph reversed its channels itself, which the import has removed. */
  readonly turnsChannels: boolean;
  /** Whether the graph ends in pooled features: a network without a classifier, a backbone for heads. */
  readonly endsInFeatures: boolean;
  /** Whether the graph is unchanged. */
  readonly isUnchanged: boolean;
  /** The changes, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Brings the input and output of an exported classifier to one form. Everything between them stays. It runs the result and
 * the original, and refuses the graph if the scores differ.
 *
 * @param original of parseModel; not changed.
 * @throws {UnsupportedGraphError} naming the node or the reason, and what to do about it.
 */
export async function importGraph(original: OnnxModel, options: ImportGraphOptions): Promise<ImportedGraph> {
  try {
    return await take(original, options, true);
  } catch (error) {
    // A graph that only takes one image at a time is served one image at a time.
    if (error instanceof BatchError && error.fixedBatch === 1) return await take(original, options, false);
    throw error;
  }
}

async function take(
  original: OnnxModel,
  options: ImportGraphOptions,
  freesBatch: boolean,
): Promise<ImportedGraph> {
  const graph = copyGraph(original.graph);
  dropUnreadInputs(graph);
  if (graph.inputs.length !== 1) {
    const names = graph.inputs.map(({ name }) => `'${name}'`).join(', ');
    throw new UnsupportedGraphError(
      undefined,
      `the model must have one input, has ${graph.inputs.length}: ${names}`,
    );
  }
  const notes: string[] = [];
  const inputs = graph.inputs;
  const inputType = inputs[0]!.elementType;
  toSinglePrecision(graph);
  liftConstants(graph);
  dropDetours(graph);
  await foldConstants({ ...original, graph });
  dropDetours(graph);
  chooseOutput(graph, options.output);
  const before: OnnxModel = {
    ...original,
    graph: { ...original.graph, inputs, outputs: graph.outputs },
  };

  const preprocessing = takeOutPreprocessing(graph);
  const side = readSide(graph, options.side);
  const normalisation = toNormalisation(preprocessing, toDatatype(inputType) === 'UINT8');
  if (preprocessing.operators.length > 0) {
    notes.push(
      `The graph's first nodes (${preprocessing.operators.join(', ')}) prepare its pixels: the manifest says so now, and the graph begins behind them.`,
    );
  }
  if (toDatatype(inputType) !== 'FP32')
    notes.push(`The input was ${toDatatype(inputType)}, and is FP32 now.`);
  if (preprocessing.layout === 'NHWC') notes.push('The input was NHWC, and is NCHW now.');

  const fixedBatch = freesBatch ? freeBatch(graph) : 1;
  const activation = takeOffActivation(graph);
  if (activation) notes.push(`The final ${activation} is left to the service: the graph gives logits.`);
  const model: OnnxModel = { ...original, irVersion: Math.max(original.irVersion, 4), graph };
  const image = toNoise(graph.inputs[0]!.elementType, [1, 3, side, side], 1);
  const { name: outputName } = graph.outputs[0]!;
  const made = await runImage(model, image);
  const single = toRow(graph, made) === 1;
  if (single) {
    if (activation === 'Softmax' || activation === 'LogSoftmax') {
      throw new UnsupportedGraphError(
        undefined,
        'the graph gives a Softmax over one number, which is 1.0 for every image: export two classes, or a Sigmoid',
      );
    }
    splitLogit(graph);
    notes.push(
      `The graph gives one number for an image: its sigmoid is the score of the second of two labels${activation ? '' : ', as a binary classifier is trained'}.`,
    );
  }
  const endsInFeatures = isPool(behindInertNodes(outputName, indexGraph(graph).producers).node);
  if (endsInFeatures) {
    notes.push(
      'The graph ends in features and has no classifier: it is a backbone for classes of your own, its own answers mean nothing.',
    );
  }
  const kind = activation ? 'logits' : toKind(made);
  const scoring = activation === 'Sigmoid' && !single ? 'sigmoid' : 'softmax';
  await assertSameAnswer(
    { before, inputType, fixedBatch, activation, single },
    { model, preprocessing, side, batch: freesBatch ? Math.max(2, fixedBatch ?? 2) : 1 },
  );
  if (fixedBatch !== undefined && fixedBatch > 1) {
    notes.push(`The graph took ${fixedBatch} images at a time, and takes any number now.`);
  }
  if (makeActivationsUnsigned(graph)) {
    removeDeadNodes(graph);
    notes.push('Activations were S8, and are U8 now: the same integers with an offset of 128.');
  }
  const bytes = serialiseModel(model);
  return {
    bytes,
    isUnchanged: notes.length === 0 && Buffer.compare(bytes, serialiseModel(original)) === 0,
    endsInFeatures,
    turnsChannels: preprocessing.channelOrder === 'bgr',
    model,
    side,
    input: graph.inputs[0]!.name,
    output: {
      name: outputName,
      classes: single ? 2 : made.data.length,
      kind,
      scoring,
    },
    normalisation,
    notes,
  };
}

const pools: ReadonlySet<string> = new Set([
  'GlobalAveragePool',
  'GlobalMaxPool',
  'AveragePool',
  'ReduceMean',
]);

function isPool(node: OnnxNode | undefined): boolean {
  return node !== undefined && pools.has(node.opType);
}

/** tf2onnx lists constants that it has folded as inputs. */
function dropUnreadInputs(graph: OnnxGraph): void {
  const { consumers, outputNames } = indexGraph(graph);
  graph.inputs = graph.inputs.filter(({ name }) => consumers.has(name) || outputNames.has(name));
}

async function runImage(model: OnnxModel, image: OnnxTensor): Promise<OnnxTensor> {
  const { graph } = model;
  const results = await runGraph(
    model,
    { ...graph, outputs: graph.outputs.map(({ name }) => ({ name, elementType: 0, shape: undefined })) },
    new Map([[graph.inputs[0]!.name, image]]),
  );
  return results.get(graph.outputs[0]!.name)!;
}

function readSide(graph: OnnxGraph, fallback: number): number {
  const [, , height, width] = graph.inputs[0]!.shape!;
  const [rows, columns] = [height, width].map((size) => (typeof size === 'number' ? size : undefined));
  if (rows !== undefined && columns !== undefined && rows !== columns) {
    throw new UnsupportedGraphError(
      undefined,
      `the graph takes images of ${rows} x ${columns} pixels; only squares are served`,
    );
  }
  return rows ?? columns ?? fallback;
}

/** Scores that add up to 1 are probabilities, even if no node says so. */
function toKind(made: OnnxTensor): 'logits' | 'probabilities' {
  const values = Array.from(made.data, Number);
  const sum = values.reduce((total, value) => total + value, 0);
  const isDistribution = values.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
  return isDistribution && values.length > 1 ? 'probabilities' : 'logits';
}

/** Passes rewrite nodes and initializers in place, never a tensor's contents. */
function copyGraph(graph: OnnxGraph): OnnxGraph {
  return {
    ...graph,
    initializers: new Map(graph.initializers),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: [...node.inputs],
      outputs: [...node.outputs],
      attributes: new Map(node.attributes),
    })),
  };
}
