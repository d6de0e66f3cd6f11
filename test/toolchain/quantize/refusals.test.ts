import { describe, expect, test } from 'vitest';
import { UnsupportedGraphError } from '../../../src/toolchain/onnx/onnx-errors.ts';
import type { OnnxGraph, OnnxModel, OnnxNode } from '../../../src/toolchain/onnx/onnx-graph.ts';
import { parseModel, serialiseModel } from '../../../src/toolchain/onnx/onnx-model.ts';
import { fp32Tensor, int64Tensor } from '../../../src/toolchain/onnx/onnx-tensor.ts';
import { quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { buildResnet, type ResnetSpelling } from './resnet-builder.ts';
import { smoothImages } from './smooth-images.ts';

async function* one(image = smoothImages(1, 1)[0] as Float32Array): AsyncGenerator<Float32Array> {
  yield image;
}

/** A good model with one thing changed. */
function changed(change: (graph: OnnxGraph) => void, spelling: Partial<ResnetSpelling> = {}): Uint8Array {
  const model = parseModel(buildResnet({ opset: 13, ...spelling }));
  change(model.graph);
  return serialiseModel(model);
}

function first(graph: OnnxGraph, opType: string): OnnxNode {
  return graph.nodes.find((node) => node.opType === opType) as OnnxNode;
}

/** Puts a node of one input between `node` and its readers. */
function insertAfter(
  graph: OnnxGraph,
  node: OnnxNode,
  inserted: Partial<OnnxNode> & { opType: string },
): void {
  const output = node.outputs[0] as string;
  for (const other of graph.nodes) other.inputs = other.inputs.map((x) => (x === output ? 'inserted' : x));
  graph.nodes.splice(graph.nodes.indexOf(node) + 1, 0, {
    name: 'the_inserted_node',
    domain: '',
    inputs: [output],
    outputs: ['inserted'],
    attributes: new Map(),
    ...inserted,
  });
}

const quantize = (model: Uint8Array) => quantizeModel(model, { calibration: one(), method: 'minmax' });

async function refusal(model: Uint8Array): Promise<UnsupportedGraphError> {
  const error = await quantize(model).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UnsupportedGraphError);
  return error as UnsupportedGraphError;
}

describe('refuses, naming the node and the reason', () => {
  test('an operator no ResNet has', async () => {
    const model = changed((graph) => insertAfter(graph, first(graph, 'MaxPool'), { opType: 'Sigmoid' }));
    expect(await refusal(model)).toMatchObject({
      nodeName: 'the_inserted_node',
      opType: 'Sigmoid',
      reason: 'not an operator of a ResNet classifier',
      message: "node 'the_inserted_node' (Sigmoid): not an operator of a ResNet classifier",
    });
  });

  test('an operator of another domain', async () => {
    const model = parseModel(buildResnet({ opset: 13 }));
    insertAfter(model.graph, first(model.graph, 'MaxPool'), { opType: 'Gelu', domain: 'com.microsoft' });
    const bytes = serialiseModel({ ...model, opsets: new Map([...model.opsets, ['com.microsoft', 1]]) });
    expect((await refusal(bytes)).message).toMatch(/the_inserted_node.*domain 'com.microsoft'/);
  });

  test.each([6])('opset %i', async (opset) => {
    const model: OnnxModel = { ...parseModel(buildResnet({ opset: 13 })), opsets: new Map([['', opset]]) };
    expect((await refusal(serialiseModel(model))).reason).toMatch(`the model has opset ${opset}`);
  });

  test('a model that is quantized already', async () => {
    const { model } = await quantize(buildResnet({ opset: 13 }));
    expect((await refusal(model)).message).toMatch(/data_Quant.*quantized already/);
  });

  test('BatchNormalization in training mode', async () => {
    const model = changed(
      (graph) => {
        first(graph, 'BatchNormalization').attributes.set('training_mode', { type: 'INT', value: 1 });
      },
      { opset: 15 },
    );
    expect((await refusal(model)).message).toMatch(/BatchNormalization.*training mode/);
  });

  test('a negative variance, which would be not a number everywhere', async () => {
    const model = changed((graph) => {
      const variance = first(graph, 'BatchNormalization').inputs[4] as string;
      graph.initializers.set(variance, fp32Tensor([8], new Float32Array(8).fill(-1)));
    });
    expect((await refusal(model)).message).toMatch(/BatchNormalization.*variance is negative/);
  });

  test('weights that do not fit', async () => {
    const wrongKernel = changed((graph) => {
      first(graph, 'Conv').attributes.set('kernel_shape', { type: 'INTS', value: [5, 5] });
    });
    expect((await refusal(wrongKernel)).message).toMatch(
      /kernel_shape \[5,5\] contradicts weights \[8,3,7,7\]/,
    );
    const wrongFeatures = changed((graph) => {
      const weights = first(graph, 'Gemm').inputs[1] as string;
      graph.initializers.set(weights, fp32Tensor([10, 8], new Float32Array(80)));
    });
    expect((await refusal(wrongFeatures)).message).toMatch(
      /Gemm.*weights \[10,8\] do not fit .*\[batch,16\]/,
    );
  });

  test('Dropout whose mask is read', async () => {
    const model = changed(
      (graph) => {
        const dropout = first(graph, 'Dropout');
        dropout.outputs.push('mask');
        graph.outputs.push({ name: 'mask_out', elementType: 9, shape: undefined });
        graph.nodes.push({
          ...dropout,
          name: 'reader',
          opType: 'Identity',
          inputs: ['mask'],
          outputs: ['mask_out'],
        });
      },
      { inertNodes: true },
    );
    expect((await refusal(model)).message).toMatch(/Dropout.*mask/);
  });

  test('a second output', async () => {
    const model = changed((graph) => {
      const features = first(graph, 'Flatten').outputs[0] as string;
      graph.outputs.push({ name: features, elementType: 1, shape: undefined });
    });
    expect((await refusal(model)).reason).toMatch(/one input and one output, has 1 and 2/);
  });

  test('a convolution whose output is read before its ReLU', async () => {
    const model = changed(
      (graph) => {
        const [conv, relu] = [first(graph, 'Conv'), first(graph, 'Relu')];
        first(graph, 'Add').inputs[1] = first(graph, 'MaxPool').outputs[0] as string;
        insertAfter(graph, relu, {
          opType: 'Add',
          inputs: [relu.outputs[0] as string, conv.outputs[0] as string],
        });
      },
      { norm: 'folded' },
    );
    expect(await refusal(model)).toMatchObject({
      opType: 'Relu',
      reason: expect.stringMatching(/only reader/),
    });
  });

  test('an Add that broadcasts', async () => {
    const model = changed((graph) => {
      const add = first(graph, 'Add');
      insertAfter(graph, first(graph, 'MaxPool'), { opType: 'GlobalAveragePool' });
      const main = first(graph, 'MaxPool').outputs[0] as string;
      for (const node of graph.nodes) {
        if (node.opType === 'Conv') node.inputs = node.inputs.map((x) => (x === 'inserted' ? main : x));
      }
      add.inputs[1] = 'inserted';
    });
    expect((await refusal(model)).message).toMatch(/\(Add\).*no residual connection/);
  });

  test('a graph that does not end in a classifier', async () => {
    const model = changed((graph) => {
      graph.outputs = [
        { name: first(graph, 'MaxPool').outputs[0] as string, elementType: 1, shape: undefined },
      ];
    });
    expect((await refusal(model)).message).toMatch(/must come from a Gemm or MatMul classifier/);
  });

  test('padding that is no zeros', async () => {
    const model = changed(
      (graph) => first(graph, 'Pad').attributes.set('mode', { type: 'STRING', value: 'reflect' }),
      { stem: 'pad-node' },
    );
    expect((await refusal(model)).message).toMatch(/\(Pad\): only zeros/);
  });

  test('a reshape that is no flattening', async () => {
    const model = changed((graph) => {
      insertAfter(graph, first(graph, 'GlobalAveragePool'), { opType: 'Reshape' });
      first(graph, 'Reshape').inputs.push('target');
      graph.initializers.set('target', int64Tensor([0, 4, -1]));
    });
    expect((await refusal(model)).message).toMatch(/\(Reshape\): turns \[batch,16,1,1\] into \[batch,4,4\]/);
  });

  test('weights that are computed', async () => {
    const model = changed((graph) => {
      const gemm = first(graph, 'Gemm');
      const weights = gemm.inputs[1] as string;
      graph.initializers.set('one', fp32Tensor([1], Float32Array.of(1)));
      graph.nodes.splice(graph.nodes.indexOf(gemm), 0, {
        name: 'scaled',
        opType: 'Mul',
        domain: '',
        inputs: [weights, 'one'],
        outputs: ['scaled_weights'],
        attributes: new Map(),
      });
      gemm.inputs[1] = 'scaled_weights';
    });
    expect((await refusal(model)).message).toMatch(/\(Gemm\): its weights must be a constant/);
  });
});

describe('refuses calibration', () => {
  const model = buildResnet({ opset: 13 });

  test('without images', async () => {
    async function* none(): AsyncGenerator<Float32Array> {}
    await expect(quantizeModel(model, { calibration: none(), method: 'minmax' })).rejects.toThrow(
      /at least one image/,
    );
  });

  test('with an image of the wrong length, first or later', async () => {
    await expect(
      quantizeModel(model, { calibration: one(new Float32Array(12)), method: 'minmax' }),
    ).rejects.toThrow(/takes images of \[3, 32, 32\], the calibration image has 12 elements/);
    async function* shortSecond() {
      yield* one();
      yield new Float32Array(12);
    }
    await expect(quantizeModel(model, { calibration: shortSecond(), method: 'minmax' })).rejects.toThrow(
      /calibration image 1 must have 3072 elements, has 12/,
    );
  });

  test('with values that are not finite, naming the tensor', async () => {
    const image = new Float32Array(3072).fill(Number.NaN);
    await expect(quantizeModel(model, { calibration: one(image), method: 'minmax' })).rejects.toThrow(
      /activation 'data': element 0 of the activation is NaN/,
    );
  });

  test.each([0, 101, Number.NaN])('with a percentile of %d', async (percentile) => {
    await expect(
      quantizeModel(model, { calibration: one(), method: 'percentile', percentile }),
    ).rejects.toThrow(RangeError);
  });

  test('and closes the images when it gives up', async () => {
    let isClosed = false;
    async function* images() {
      try {
        yield* one();
        yield new Float32Array(12);
      } finally {
        isClosed = true;
      }
    }
    await expect(quantizeModel(model, { calibration: images(), method: 'minmax' })).rejects.toThrow();
    expect(isClosed).toBe(true);
  });
});
