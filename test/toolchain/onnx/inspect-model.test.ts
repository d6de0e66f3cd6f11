import { describe, expect, test } from 'vitest';
import { inspectModel } from '../../../src/toolchain/onnx/inspect-model.ts';
import { parseModel, serialiseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { inferShapes } from '../../../src/toolchain/onnx/shape-inference.ts';
import { quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { buildResnet, imageShape } from '../quantize/resnet-builder.ts';
import { smoothImages } from '../quantize/smooth-images.ts';

/** Of the basic model with folded BatchNorm: six convolutions with biases, and the classifier. */
const parameterCount =
  8 * 3 * 49 + 8 + 2 * (8 * 8 * 9 + 8) + 16 * 8 * 9 + 16 + 16 * 16 * 9 + 16 + 16 * 8 + 16 + 10 * 16 + 10;

describe('inspectModel', () => {
  test('tells what a manifest needs', () => {
    expect(inspectModel(buildResnet({ opset: 13, norm: 'folded' }))).toMatchObject({
      producer: 'resnet-builder',
      opset: 13,
      input: { name: 'data', datatype: 'FP32', shape: [null, ...imageShape] },
      output: { name: 'logits', datatype: 'FP32', shape: [null, 10] },
      outputKind: 'logits',
      classes: 10,
      parameterCount,
      datatype: 'FP32',
      operators: { Conv: 6, Add: 2, Gemm: 1 },
    });
  });

  test('finds the classes in the classifier where the output leaves them open', () => {
    for (const classifier of ['gemm', 'gemm-plain', 'matmul-add'] as const) {
      const model = parseModel(buildResnet({ opset: 13, classifier }));
      model.graph.outputs = model.graph.outputs.map((output) => ({ ...output, shape: undefined }));
      expect(inspectModel(serialiseModel(model))).toMatchObject({
        classes: 10,
        output: { shape: undefined },
      });
    }
  });

  test('counts old listings of initializers as inputs once, and sees a Softmax', () => {
    const model = buildResnet({ opset: 8, norm: 'folded', initializersAsInputs: true, softmax: true });
    expect(inspectModel(model)).toMatchObject({
      input: { name: 'data' },
      outputKind: 'probabilities',
      parameterCount,
    });
  });

  test('counts the same parameters in the quantized model', async () => {
    async function* images() {
      yield* smoothImages(2, 1);
    }
    const source = buildResnet({ opset: 13, norm: 'folded' });
    const { model } = await quantizeModel(source, { calibration: images(), method: 'minmax' });
    expect(inspectModel(model)).toMatchObject({ datatype: 'INT8', classes: 10, parameterCount });
  });
});

/** `data` or `logits` of the basic model through one more node. */
function withNode(opType: string, where: 'input' | 'output', constant?: readonly number[]): Uint8Array {
  const model = parseModel(buildResnet({ opset: 13, norm: 'folded' }));
  const { graph } = model;
  const name = where === 'input' ? 'data' : 'logits';
  const node = {
    name: 'added',
    opType,
    domain: '',
    inputs: [name],
    outputs: ['inner'],
    attributes: new Map(),
  };
  if (constant) {
    const data = Float32Array.from(constant);
    graph.initializers.set('constant', { datatype: 'FP32', shape: [1, constant.length, 1, 1], data });
    node.inputs.push('constant');
  }
  const rename = (from: string) => (from === name ? 'inner' : from);
  if (where === 'input') {
    for (const other of graph.nodes) other.inputs = other.inputs.map(rename);
    graph.nodes.unshift(node);
  } else {
    for (const other of graph.nodes) other.outputs = other.outputs.map(rename);
    graph.nodes.push({ ...node, inputs: ['inner'], outputs: [name] });
  }
  return serialiseModel(model);
}

describe('the ends of a graph', () => {
  test.each([
    ['Softmax', 'probabilities'],
    ['Sigmoid', 'probabilities'],
    ['Identity', 'logits'],
  ])('a %s in the last place makes %s', (opType, outputKind) => {
    expect(inspectModel(withNode(opType, 'output'))).toMatchObject({ outputKind });
  });
  test('a Softmax counts behind an Identity too', () => {
    const model = parseModel(withNode('Softmax', 'output'));
    const last = model.graph.nodes.at(-1)!;
    last.outputs = ['scores'];
    model.graph.nodes.push({
      ...last,
      name: 'end',
      opType: 'Identity',
      inputs: ['scores'],
      outputs: ['logits'],
      attributes: new Map(),
    });
    expect(inspectModel(serialiseModel(model))).toMatchObject({ outputKind: 'probabilities' });
  });
  test('an ArgMax is refused: it has no scores', () => {
    expect(() => inspectModel(withNode('ArgMax', 'output'))).toThrow('no scores');
  });
  test.each(['Sub', 'Div', 'Mul'])(
    'a %s of the input is refused: pixels would be normalised twice',
    (opType) => {
      expect(() => inspectModel(withNode(opType, 'input', [0.485, 0.456, 0.406]))).toThrow(
        'normalises its input',
      );
    },
  );
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
