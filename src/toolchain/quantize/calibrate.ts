import { createOrtNodeSession } from '../../inference/ort-node.ts';
import {
  type GraphIndex,
  indexGraph,
  type OnnxGraph,
  type OnnxNode,
  soleConsumer,
} from '../onnx/onnx-graph.ts';
import { serialiseModel } from '../onnx/onnx-model.ts';
import { datatypeCodes } from '../onnx/onnx-tensor.ts';
import { type ActivationHistogram, createActivationHistogram } from './activation-histogram.ts';
import type { NormalisedGraph } from './normalise/normalise-graph.ts';

export interface Calibration {
  /** One per tensor that gets its own scale: the input, and what Conv, Add and average pools yield. */
  readonly histograms: ReadonlyMap<string, ActivationHistogram>;
  readonly images: number;
}

/**
 * Runs the network in floats over every image, one at a time, with all activations exposed. Memory holds
 * one image's activations (ResNet-50: 45 MB) and the histograms, however many images there are.
 *
 * @param images CHW, normalised as the model expects, each of the graph's image shape.
 * @throws {RangeError} If there is no image, one has the wrong length, or an activation is not finite.
 */
export async function calibrate(
  normalised: NormalisedGraph,
  images: AsyncIterable<Float32Array>,
  onImage: (images: number) => void,
): Promise<Calibration> {
  const { graph, head, imageShape } = normalised;
  const input = graph.inputs[0]?.name as string;
  const histograms = new Map(
    [input, ...listActivations(graph, head)].map((name) => [name, createActivationHistogram()]),
  );
  const session = await createOrtNodeSession(toExposedModel(graph, head));
  let count = 0;
  try {
    const length = imageShape.reduce((product, size) => product * size, 1);
    for await (const image of images) {
      if (image.length !== length) {
        throw new RangeError(`calibration image ${count} must have ${length} elements, has ${image.length}`);
      }
      const activations = await session.run(
        new Map([[input, { datatype: 'FP32', shape: [1, ...imageShape], data: image }]]),
      );
      addTo(histograms, input, image);
      for (const [name, { data }] of activations) addTo(histograms, name, data);
      count++;
      onImage(count);
    }
  } finally {
    await session.close();
  }
  if (count === 0) throw new RangeError('calibration needs at least one image');
  return { histograms, images: count };
}

function addTo(histograms: ReadonlyMap<string, ActivationHistogram>, name: string, data: Float32Array): void {
  try {
    histograms.get(name)?.add(data);
  } catch (cause) {
    throw new RangeError(`activation '${name}': ${(cause as Error).message}`, { cause });
  }
}

/** The tensor a node's quantized output stands for: behind the ReLU where one is merged. */
export function toMergedOutput(index: GraphIndex, output: string): string {
  const reader = soleConsumer(index, output);
  return reader?.opType === 'Relu' || reader?.opType === 'Clip' ? (reader.outputs[0] as string) : output;
}

function listActivations(graph: OnnxGraph, head: ReadonlySet<OnnxNode>): string[] {
  const index = indexGraph(graph);
  return graph.nodes
    .filter((node) => !head.has(node))
    .filter(({ opType }) => /^(Conv|Add|AveragePool|GlobalAveragePool)$/.test(opType))
    .map((node) => toMergedOutput(index, node.outputs[0] as string));
}

/** The same network with every calibrated activation as an output. */
function toExposedModel(graph: OnnxGraph, head: ReadonlySet<OnnxNode>): Uint8Array {
  const outputs = listActivations(graph, head).map((name) => ({
    name,
    elementType: datatypeCodes.FP32,
    shape: undefined,
  }));
  return serialiseModel({
    irVersion: 7,
    producerName: 'resnet-edge',
    opsets: new Map([['', 13]]),
    graph: { ...graph, outputs },
  });
}
