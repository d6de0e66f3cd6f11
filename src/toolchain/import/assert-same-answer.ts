import { UnsupportedGraphError } from '../onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxModel } from '../onnx/onnx-graph.ts';
import { datatypeCodes, fp32Tensor, type OnnxTensor, toFloat32, toIntegers } from '../onnx/onnx-tensor.ts';
import type { FinalActivation } from './canonical-output.ts';
import { runGraph, toNoise } from './run-graph.ts';
import type { GraphPreprocessing } from './take-out-preprocessing.ts';

/** The original model, and the parts that the import removed. */
interface Original {
  readonly before: OnnxModel;
  /** TensorProto.DataType of its input. */
  readonly inputType: number;
  readonly fixedBatch: number | undefined;
  readonly activation: FinalActivation | undefined;
  /** Whether it gives one number for an image, which the import has turned into two. */
  readonly single: boolean;
}

/** The imported model. */
interface Result {
  readonly model: OnnxModel;
  readonly preprocessing: GraphPreprocessing;
  readonly side: number;
  /** Images to run at once, at least as many as the original takes. */
  readonly batch: number;
}

/** The graph does not give one row for each image after its batch was freed. */
export class BatchError extends UnsupportedGraphError {
  /** What the exporter fixed. */
  readonly fixedBatch: number | undefined;

  constructor(fixedBatch: number | undefined) {
    super(
      undefined,
      'the graph runs a fixed number of images at a time: export it with a free batch, or a batch of 1',
    );
    this.fixedBatch = fixedBatch;
  }
}

/** FP32 [batch, 3, side, side]. */
interface Images {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Rounding of half floats, and another order of sums, give far smaller differences; another network gives far larger ones. */
const tolerance = 0.02;

/**
 * Runs the original and the imported model on the same noise, two images at a time.
 *
 * @throws {UnsupportedGraphError} if they differ.
 */
export async function assertSameAnswer(
  original: Original,
  { model, preprocessing, side, batch: count }: Result,
): Promise<void> {
  const { before, inputType, fixedBatch } = original;
  const batch = fixedBatch ?? 2;
  const sizes = preprocessing.layout === 'NHWC' ? [side, side, 3] : [3, side, side];
  // The range of values does not matter, because both get the same.
  const given = toNoise(inputType, [batch, ...sizes], 1);
  const reference = await runOne(...toSingleEnds(before, given));
  const images = repeat(toServed(given, preprocessing, side), count);
  const served = await runOne(model, images).catch((cause: unknown) => {
    throw fixedBatch === undefined ? cause : new BatchError(fixedBatch);
  });
  const rows = toFloats(reference).length / batch;
  const wanted = toFloats(reference).subarray(0, rows);
  const classes = original.single ? 2 : rows;
  if (toFloats(served).length !== images.shape[0]! * classes) throw new BatchError(fixedBatch);
  const actual = activate(toFloats(served).subarray(0, classes), original);
  const spread = Math.max(...wanted) - Math.min(...wanted);
  const error = Math.max(...wanted.map((value, i) => Math.abs(value - actual[i]!)));
  const allowed = tolerance * Math.max(spread, 1e-3) + 1e-5;
  if (!(error <= allowed)) {
    throw new UnsupportedGraphError(
      undefined,
      `the graph gives other scores once its ends are brought to one form (${error} apart): please report it, and import it as another exporter writes it`,
    );
  }
}

async function runOne(model: OnnxModel, input: OnnxTensor): Promise<OnnxTensor> {
  const { graph } = model;
  const outputs = graph.outputs.map(({ name }) => ({ name, elementType: 0, shape: undefined }));
  const results = await runGraph(model, { ...graph, outputs }, new Map([[graph.inputs[0]!.name, input]]));
  return results.get(outputs[0]!.name)!;
}

/** Half floats cannot be fed to onnxruntime-node, nor read from it: casts stand around a graph that has them. */
function toSingleEnds(model: OnnxModel, given: OnnxTensor): [OnnxModel, OnnxTensor] {
  const { graph } = model;
  const [input, output] = [graph.inputs[0]!, graph.outputs[0]!];
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === input.name ? 'given' : name)),
  }));
  const cast = (from: string, to: string, elementType: number) => ({
    name: to,
    opType: 'Cast',
    domain: '',
    inputs: [from],
    outputs: [to],
    attributes: new Map([['to', { type: 'INT' as const, value: elementType }]]),
  });
  const isHalf = given.datatype === 'FP16';
  const whole: OnnxGraph = {
    ...graph,
    inputs: isHalf ? [{ ...input, elementType: datatypeCodes.FP32 }] : graph.inputs,
    nodes: [
      ...(isHalf ? [cast(input.name, 'given', datatypeCodes.FP16), ...nodes] : graph.nodes),
      cast(output.name, 'answered', datatypeCodes.FP32),
    ],
    outputs: [{ ...output, name: 'answered', elementType: datatypeCodes.FP32 }],
  };
  const fed = isHalf ? fp32Tensor(given.shape, toFloat32(given, 'noise')) : given;
  return [{ ...model, graph: whole }, fed];
}

/** The original's input as the service gives it to the imported model: FP32 NCHW, preprocessed. */
function toServed(given: OnnxTensor, preprocessing: GraphPreprocessing, side: number): Images {
  const { layout, affine, channelOrder } = preprocessing;
  const values = given.datatype === 'UINT8' ? toIntegers(given, 'noise') : toFloat32(given, 'noise');
  const plane = side * side;
  const data = new Float32Array(values.length);
  for (let i = 0; i < data.length; i++) {
    const channel = Math.floor(i / plane) % 3;
    const stored = channelOrder === 'bgr' ? 2 - channel : channel;
    const image = Math.floor(i / (3 * plane)) * 3 * plane;
    const pixel = i % plane;
    const from = image + (layout === 'NHWC' ? pixel * 3 + stored : stored * plane + pixel);
    data[i] = values[from]! * (affine?.scale[channel] ?? 1) + (affine?.shift[channel] ?? 0);
  }
  return { shape: [given.shape[0]!, 3, side, side], data };
}

/** Repeats the images to a batch of at least `count`. */
function repeat({ shape, data }: Images, count: number): OnnxTensor {
  const [batch = 1, ...rest] = shape;
  if (batch >= count) return fp32Tensor(shape, data);
  const filled = new Float32Array((data.length / batch) * count);
  for (let at = 0; at < filled.length; at += data.length) filled.set(data, at);
  return fp32Tensor([count, ...rest], filled);
}

function toFloats(tensor: OnnxTensor): Float32Array {
  return toFloat32(tensor, 'the output');
}

/** Applies the original's activation to logits. */
function activate(logits: Float32Array, { activation, single }: Original): Float32Array {
  if (single) return activation === 'Sigmoid' ? sigmoid(logits.subarray(1)) : logits.subarray(1);
  if (activation === undefined) return logits;
  if (activation === 'Sigmoid') return sigmoid(logits);
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  const logs = logits.map((logit) => logit - largest - Math.log(sum));
  return activation === 'Softmax' ? logs.map(Math.exp) : logs;
}

const sigmoid = (logits: Float32Array) => logits.map((logit) => 1 / (1 + Math.exp(-logit)));
