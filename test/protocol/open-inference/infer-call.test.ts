import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../src/model/manifest.ts';
import { readBinaryTensor, toBinaryTensor } from '../../../src/protocol/open-inference/binary-tensor.ts';
import { formatInferCall, readInferAnswer } from '../../../src/protocol/open-inference/infer-call.ts';
import { parseInferRequest } from '../../../src/protocol/open-inference/infer-request.ts';
import { formatInferResponse } from '../../../src/protocol/open-inference/infer-response.ts';
import {
  toModelMetadata,
  toOpenError,
  toServerMetadata,
} from '../../../src/protocol/open-inference/metadata.ts';
import type { OpenTensor, TensorData } from '../../../src/protocol/open-inference/tensor.ts';
import { toModelConfig, toModelStats } from '../../../src/protocol/open-inference/triton-extensions.ts';
import { assetPath, defaultKey } from '../../golden/golden.ts';

const manifest = parseManifest(JSON.parse(await readFile(assetPath(defaultKey('manifest.json')), 'utf8')));

describe('the client’s side of infer', () => {
  it.each<OpenTensor>([
    { name: 'data', shape: [1, 2], datatype: 'FP32', data: new Float32Array([0.5, -2]) },
    { name: 'data', shape: [3], datatype: 'UINT8', data: new Uint8Array([1, 2, 255]) },
    {
      name: 'data',
      shape: [3],
      datatype: 'BYTES',
      data: ['ab', '', 'cde'].map((text) => new TextEncoder().encode(text)),
    },
  ])('asks what the server’s side reads: $datatype', (tensor) => {
    const { headers, body } = formatInferCall(tensor, 'logits');
    expect(headers['content-type']).toBe('application/octet-stream');
    const request = parseInferRequest(body, headers['inference-header-content-length']!, {
      maxElements: 10,
      maxInputs: 1,
    });
    const { data, ...rest } = request.inputs[0]!;
    expect(rest).toEqual({ name: 'data', shape: tensor.shape, datatype: tensor.datatype });
    expect(Array.from<unknown>(data).map(String)).toEqual(Array.from<unknown>(tensor.data).map(String));
    expect(request.outputs).toEqual([{ name: 'logits', classification: undefined, binary: true }]);
  });

  const answer = (tensor: Partial<OpenTensor> = {}) => {
    const { headers, body } = formatInferResponse({
      modelName: 'm',
      modelVersion: '1',
      id: undefined,
      outputs: [
        {
          tensor: {
            name: 'logits',
            shape: [1, 2],
            datatype: 'FP32',
            data: new Float32Array([3, -1]),
            ...tensor,
          } as OpenTensor,
          binary: true,
        },
      ],
    });
    return { body, length: headers['inference-header-content-length'] ?? null };
  };

  it('reads what the server’s side answers', () => {
    const { body, length } = answer();
    expect([...readInferAnswer(body, length, 'logits', [1, 2])]).toEqual([3, -1]);
  });

  it.each<[string, string, number[]]>([
    ['another name', 'scores', [1, 2]],
    ['another shape', 'logits', [2, 1]],
    ['another rank', 'logits', [2]],
  ])('refuses %s', (_, name, shape) => {
    const { body, length } = answer();
    expect(() => readInferAnswer(body, length, name, shape)).toThrow(
      expect.objectContaining({
        code: 'tensor_invalid',
        message: expect.stringContaining(`one tensor "${name}" of [${shape}]`),
      }),
    );
  });

  it('refuses an answer that is cut, or no answer', () => {
    const { body, length } = answer();
    expect(() => readInferAnswer(body.subarray(0, -1), length, 'logits', [1, 2])).toThrow(
      expect.objectContaining({ code: 'tensor_invalid', message: expect.stringContaining('outputs[0]') }),
    );
    expect(() => readInferAnswer(body, null, 'logits', [1, 2])).toThrow(SyntaxError);
    const error = new TextEncoder().encode('{"error": "no"}');
    expect(() => readInferAnswer(error, String(error.length), 'logits', [1, 2])).toThrow(
      expect.objectContaining({ code: 'tensor_invalid' }),
    );
  });
});

describe('tensors as bytes', () => {
  const read = (bytes: number[], datatype: TensorData['datatype'], elements: number) =>
    readBinaryTensor(Uint8Array.from(bytes), datatype, elements, 'here');

  it('are views of the body, but for floats at an odd place', () => {
    const body = new Uint8Array(16);
    const aligned = readBinaryTensor(body.subarray(4, 12), 'FP32', 2, 'here');
    expect((aligned.data as Float32Array).buffer).toBe(body.buffer);
    const odd = readBinaryTensor(body.subarray(1, 9), 'FP32', 2, 'here');
    expect((odd.data as Float32Array).buffer).not.toBe(body.buffer);
    const bytes = body.subarray(3, 5);
    expect(readBinaryTensor(bytes, 'UINT8', 2, 'here').data).toBe(bytes);
    expect(toBinaryTensor({ datatype: 'UINT8', data: bytes })).toBe(bytes);
    expect(toBinaryTensor({ datatype: 'FP32', data: new Float32Array(body.buffer, 4, 2) })).toEqual(
      body.subarray(4, 12),
    );
  });

  it('have a length in front of each string, little-endian', () => {
    const data = [Buffer.alloc(258, 7), Buffer.alloc(0), Buffer.of(1, 2)];
    const bytes = toBinaryTensor({ datatype: 'BYTES', data });
    expect([...bytes]).toEqual([2, 1, 0, 0, ...data[0]!, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2]);
    const strings = read([...bytes], 'BYTES', 3).data as Uint8Array[];
    expect(strings.map((each) => [...each])).toEqual(data.map((each) => [...each]));
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('refuse a value that is not finite at index %i of nine', (index) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const data = new Float32Array(9).fill(-1);
      data[index] = value;
      const bytes = new Uint8Array(data.buffer);
      expect(() => readBinaryTensor(bytes, 'FP32', 9, 'here')).toThrow(
        expect.objectContaining({
          code: 'tensor_invalid',
          message: `here.data[${index}] must be finite, got: ${value}.`,
        }),
      );
    }
  });

  it.each<[number[], TensorData['datatype'], number, string]>([
    [[1, 2], 'UINT8', 3, 'here.parameters.binary_data_size must be 3, as shape and datatype say, got: 2.'],
    [
      [1, 2, 3, 4],
      'UINT8',
      3,
      'here.parameters.binary_data_size must be 3, as shape and datatype say, got: 4.',
    ],
    [
      [1, 0, 0, 0, 9, 2, 0, 0, 0, 9],
      'BYTES',
      2,
      'here.data[1] must be a length and at most 1 bytes, got: 2.',
    ],
    [[1, 0, 0, 0, 9, 2, 0, 0], 'BYTES', 2, 'here.data[1] must be a length and at most 0 bytes, got: 3.'],
    [[1, 0, 0, 0, 9, 8, 7], 'BYTES', 1, 'here has 2 bytes after its last element.'],
  ])('refuse %j as %s of %i', (bytes, datatype, elements, message) => {
    expect(() => read(bytes, datatype, elements)).toThrow(
      expect.objectContaining({ code: 'tensor_invalid', message }),
    );
  });

  it('take a string that ends where the tensor ends', () => {
    expect(read([1, 0, 0, 0, 9, 0, 0, 0, 0], 'BYTES', 2).data).toEqual([Uint8Array.of(9), new Uint8Array()]);
  });
});

describe('what a server says of itself and its models', () => {
  it('names the protocol’s extensions', () => {
    expect(toServerMetadata('resnet-edge', '1')).toEqual({
      name: 'resnet-edge',
      version: '1',
      extensions: ['binary_tensor_data', 'classification', 'model_configuration', 'statistics'],
    });
    expect(toOpenError('no such model')).toEqual({ error: 'no such model' });
    expect(toModelMetadata({ ...manifest, input: { name: 'x', shape: [] } }, 'p').inputs).toEqual([
      { name: 'x', datatype: 'FP32', shape: [-1, 3, -1, -1] },
      { name: 'x', datatype: 'UINT8', shape: [-1, -1, -1, 3] },
      { name: 'x', datatype: 'BYTES', shape: [-1] },
    ]);
  });

  it('gives Triton’s clients the configuration and the counts that they ask for', () => {
    expect(toModelConfig(manifest, 'resnet-int8', 4)).toEqual({
      name: 'resnet18-imagenet1k',
      platform: 'resnet-int8',
      max_batch_size: 4,
      input: [{ name: 'data', data_type: 'TYPE_FP32', format: 'FORMAT_NCHW', dims: [3, 224, 224] }],
      output: [{ name: 'logits', data_type: 'TYPE_FP32', dims: [1000] }],
    });
    expect(toModelStats(manifest, { succeeded: 5, failed: 2 })).toEqual({
      model_stats: [
        {
          name: 'resnet18-imagenet1k',
          version: '3',
          inference_count: 5,
          execution_count: 5,
          inference_stats: { success: { count: 5 }, fail: { count: 2 } },
        },
      ],
    });
  });
});
