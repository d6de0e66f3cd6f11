import { describe, expect, test } from 'vitest';
import { inspectModel } from '../../../src/toolchain/onnx/inspect-model.ts';
import { parseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { inferShapes } from '../../../src/toolchain/onnx/shape-inference.ts';
import { quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { buildResnet, imageShape } from '../quantize/resnet-builder.ts';
import { smoothImages } from '../quantize/smooth-images.ts';

/** Of the basic model with folded BatchNorm: six convolutions with biases, and the classifier. */
const parameterCount =
  8 * 3 * 49 + 8 + 2 * (8 * 8 * 9 + 8) + 16 * 8 * 9 + 16 + 16 * 16 * 9 + 16 + 16 * 8 + 16 + 10 * 16 + 10;

describe('inspectModel', () => {
  const spelling = { opset: 13, norm: 'folded' } as const;
  test('counts operators and parameters', () => {
    expect(inspectModel(parseModel(buildResnet(spelling)))).toMatchObject({
      parameterCount,
      datatype: 'FP32',
      operators: { Conv: 6, Add: 2, Gemm: 1 },
    });
  });
  test('counts old listings of initializers as inputs once', () => {
    const model = buildResnet({ ...spelling, opset: 8, initializersAsInputs: true });
    expect(inspectModel(parseModel(model))).toMatchObject({ parameterCount });
  });
  test('counts the same parameters in the quantized model', async () => {
    async function* images() {
      yield* smoothImages(2, 1);
    }
    const { model } = await quantizeModel(buildResnet(spelling), { calibration: images(), method: 'minmax' });
    expect(inspectModel(parseModel(model))).toMatchObject({ datatype: 'INT8', parameterCount });
  });
});

describe('inferShapes', () => {
  test('follows windows, residuals and computed shapes through a quantized or a float graph', async () => {
    const spelling = { opset: 11, stem: 'asymmetric', flatten: 'reshape-computed' } as const;
    const { graph } = parseModel(buildResnet(spelling));
    const { shapes } = inferShapes(graph, ['batch', ...imageShape]);
    const of = (opType: string) => shapes.get(graph.nodes.find((n) => n.opType === opType)?.outputs[0] ?? '');
    expect(of('Conv')).toEqual(['batch', 8, 16, 16]);
    expect(of('MaxPool')).toEqual(['batch', 8, 8, 8]);
    expect(of('GlobalAveragePool')).toEqual(['batch', 16, 1, 1]);
    expect(of('Reshape')).toEqual(['batch', 16]);
    expect(shapes.get('logits')).toEqual(['batch', 10]);

    async function* images() {
      yield* smoothImages(1, 1);
    }
    const { model } = await quantizeModel(buildResnet(spelling), { calibration: images(), method: 'minmax' });
    const quantized = inferShapes(parseModel(model).graph, ['batch', ...imageShape]);
    expect(quantized.shapes.get('logits')).toEqual(['batch', 10]);
    expect(quantized.shapes.get('data_Q')).toEqual(['batch', ...imageShape]);
  });
});
