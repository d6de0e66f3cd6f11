import { parseModel, serialiseModel } from '../onnx/onnx-model.ts';
import { type CalibrationMethod, toActivationRange } from './activation-range.ts';
import { calibrate } from './calibrate.ts';
import { insertQdq } from './insert-qdq.ts';
import { normaliseGraph } from './normalise/normalise-graph.ts';
import { type Range, toUInt8Parameters, type UInt8Parameters } from './quantize-values.ts';

export interface QuantizeOptions {
  /** Images as CHW float32, normalised as the model expects, one at a time; read once, never kept. */
  readonly calibration: AsyncIterable<Float32Array>;
  readonly method: CalibrationMethod;
  /** Share of activation values to cover with `percentile`, in (0, 100]. Default 99.999. */
  readonly percentile?: number;
  readonly onProgress?: (progress: QuantizeProgress) => void;
}

export type QuantizeProgress =
  | { readonly stage: 'calibrate'; readonly images: number }
  | { readonly stage: 'quantize' };

export interface QuantizationReport {
  readonly method: CalibrationMethod;
  /** Present if the method is `percentile`. */
  readonly percentile?: number;
  readonly calibrationImages: number;
  /** [channels, height, width]. */
  readonly imageShape: readonly number[];
  readonly classes: number;
  readonly sourceBytes: number;
  readonly bytes: number;
  /** In the order the network makes them. */
  readonly activations: readonly ActivationReport[];
  /** What changed beyond precision, e.g. a dropped Softmax. */
  readonly notes: readonly string[];
}

export interface ActivationReport extends UInt8Parameters {
  readonly tensor: string;
  /** All values that calibration saw. */
  readonly seen: Range;
  /** What is covered; values beyond saturate. */
  readonly covered: Range;
}

export interface QuantizedModel {
  /** A serialised ModelProto of opset 13: U8 activations, S8 per-channel weights, FP32 input and logits. */
  readonly model: Uint8Array;
  readonly report: QuantizationReport;
}

/**
 * Static post-training int8 quantization of a ResNet classifier in ONNX, as onnxruntime's
 * quantize_static makes it (QDQ format).
 *
 * @param model a serialised FP32 (or FP16) ModelProto, opset 7 to 21, not changed.
 * @throws {OnnxFormatError} If the bytes are no ONNX model.
 * @throws {UnsupportedGraphError} Naming the node and the reason, if the graph is not such a ResNet.
 * @throws {RangeError} If an option, or an image's length, is out of range, or there are no images.
 * @example
 * const { model, report } = await quantizeModel(bytes, { calibration: images, method: 'percentile' });
 */
export async function quantizeModel(model: Uint8Array, options: QuantizeOptions): Promise<QuantizedModel> {
  const { method, percentile = 99.999, onProgress } = options;
  if (!(percentile > 0 && percentile <= 100)) {
    throw new RangeError(`percentile must be above 0 and at most 100, got: ${percentile}`);
  }
  const parsed = parseModel(model);
  const images = options.calibration[Symbol.asyncIterator]();
  const first = await images.next();
  if (first.done) throw new RangeError('calibration needs at least one image');

  const normalised = normaliseGraph(parsed, first.value.length);
  const calibration = await calibrate(normalised, resume(first.value, images), (count) =>
    onProgress?.({ stage: 'calibrate', images: count }),
  );
  onProgress?.({ stage: 'quantize' });
  const activations = [...calibration.histograms].map(([tensor, histogram]): ActivationReport => {
    const covered = toActivationRange(histogram, method, percentile);
    const seen = { min: histogram.min, max: histogram.max };
    return { tensor, seen, covered, ...toUInt8Parameters(covered) };
  });
  const parameters = new Map(activations.map((activation) => [activation.tensor, activation]));
  const bytes = serialiseModel({
    irVersion: 7,
    producerName: 'resnet-edge',
    opsets: new Map([['', 13]]),
    graph: insertQdq(normalised.graph, parameters, normalised.head),
  });
  return {
    model: bytes,
    report: {
      method,
      ...(method === 'percentile' ? { percentile } : {}),
      calibrationImages: calibration.images,
      imageShape: normalised.imageShape,
      classes: normalised.classes,
      sourceBytes: model.length,
      bytes: bytes.length,
      activations,
      notes: normalised.notes,
    },
  };
}

/** Continues an iteration of which one value was taken to learn its length; closes it when left early. */
async function* resume<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
