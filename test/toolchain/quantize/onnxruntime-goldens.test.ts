import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import type { OnnxTensor } from '../../../src/toolchain/onnx/onnx-tensor.ts';
import { type QuantizedModel, quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';

/** What onnxruntime's quantize_static chose for the same model and images: see make-goldens.py. */
interface Golden {
  /** [scale, zero point] by tensor. */
  readonly activations: Record<string, [number, number]>;
  /** Base64 of int8 or int32 values, and of float32 scales. */
  readonly constants: Record<string, { values: string; scales: string }>;
}

const folder = new URL('./golden/', import.meta.url);
const readBytes = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const goldens = JSON.parse(new TextDecoder().decode(readBytes('quantize-static.json'))) as {
  minmax: Golden;
  percentile99: Pick<Golden, 'activations'>;
};
const source = readBytes('bottleneck.onnx');

async function* images(): AsyncGenerator<Float32Array> {
  const all = new Float32Array(readBytes('images.f32').buffer);
  for (let i = 0; i < all.length; i += 3 * 32 * 32) yield all.slice(i, i + 3 * 32 * 32);
}

const decode = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

describe('minmax, as quantize_static chose', () => {
  let quantized: QuantizedModel;
  let constants: ReadonlyMap<string, OnnxTensor>;
  beforeAll(async () => {
    quantized = await quantizeModel(source, { calibration: images(), method: 'minmax' });
    constants = parseModel(quantized.model).graph.initializers;
  });

  test('scale and zero point of every activation', () => {
    const { activations } = quantized.report;
    expect(activations.map(({ tensor }) => tensor).toSorted()).toEqual(
      Object.keys(goldens.minmax.activations).toSorted(),
    );
    for (const { tensor, scale, zeroPoint } of activations) {
      const [goldenScale, goldenZeroPoint] = goldens.minmax.activations[tensor] as [number, number];
      // Two versions of ONNX Runtime ran the network: sums of floats differ in their last digits.
      expect(scale / goldenScale, tensor).toBeCloseTo(1, 5);
      expect(zeroPoint, tensor).toBe(goldenZeroPoint);
    }
  });

  test('every weight, bit for bit', () => {
    const names = Object.keys(goldens.minmax.constants).filter((name) => /^(weight|fc)_\d/.test(name));
    expect(names).toHaveLength(9);
    for (const name of names) {
      const golden = goldens.minmax.constants[name] as { values: string; scales: string };
      expect(constants.get(`${name}_Q`)?.data, name).toEqual(new Int8Array(decode(golden.values).buffer));
      expect(constants.get(`${name}_s`)?.data, name).toEqual(new Float32Array(decode(golden.scales).buffer));
    }
  });

  test('every bias, within the last digit its scale leaves open', () => {
    const names = Object.keys(goldens.minmax.constants).filter((name) => name.includes('bias'));
    expect(names).toHaveLength(9);
    for (const name of names) {
      const golden = new Int32Array(
        decode((goldens.minmax.constants[name] as { values: string }).values).buffer,
      );
      const actual = constants.get(`${name}_Q`)?.data as Int32Array;
      golden.forEach((value, i) => {
        expect(Math.abs(actual[i]! - value), `${name}[${i}]`).toBeLessThanOrEqual(1 + Math.abs(value) * 1e-6);
      });
    }
  });
});

test('percentile cuts where quantize_static cuts', async () => {
  const { report } = await quantizeModel(source, {
    calibration: images(),
    method: 'percentile',
    percentile: 99,
  });
  for (const { tensor, scale, zeroPoint, seen } of report.activations) {
    const [goldenScale, goldenZeroPoint] = goldens.percentile99.activations[tensor] as [number, number];
    // The reference's histogram has 2,048 bins over twice the largest value; ours 16,384: one of its bins.
    const bin = (2 * Math.max(-seen.min, seen.max)) / 2048;
    expect(Math.abs(scale - goldenScale) * 255, tensor).toBeLessThan(2 * bin);
    expect(Math.abs(zeroPoint - goldenZeroPoint), tensor).toBeLessThanOrEqual(1);
  }
});

test('the same model and images give the same bytes, images are read one at a time, progress is told', async () => {
  const bytes = source.slice();
  let waiting = 0;
  async function* counted() {
    for await (const image of images()) {
      // The one before was run before this one is asked for; only the first is fetched ahead.
      expect(progress.length).toBeGreaterThanOrEqual(waiting - 1);
      waiting++;
      yield image;
    }
  }
  const progress: unknown[] = [];
  const quantize = (calibration: AsyncIterable<Float32Array>) =>
    quantizeModel(bytes, { calibration, method: 'mse', onProgress: (event) => progress.push(event) });
  const first = await quantize(counted());
  expect(progress).toHaveLength(9);
  expect(progress.at(-1)).toEqual({ stage: 'quantize' });
  const second = await quantize(images());
  expect(second.model).toEqual(first.model);
  expect(second.report).toEqual(first.report);
  expect(bytes).toEqual(source);
});
