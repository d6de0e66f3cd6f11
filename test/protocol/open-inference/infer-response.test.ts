import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/errors.ts';
import { parseManifest } from '../../../src/model/manifest.ts';
import { toClassificationTensor } from '../../../src/protocol/open-inference/classification.ts';
import { formatInferResponse } from '../../../src/protocol/open-inference/infer-response.ts';
import { toModelMetadata } from '../../../src/protocol/open-inference/metadata.ts';
import { toModelInputs } from '../../../src/protocol/open-inference/model-inputs.ts';
import type { OpenTensor } from '../../../src/protocol/open-inference/tensor.ts';
import { assetPath, defaultKey } from '../../golden/golden.ts';

const manifest = parseManifest(JSON.parse(await readFile(assetPath(defaultKey('manifest.json')), 'utf8')));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('an infer response', () => {
  const logits: OpenTensor = {
    name: 'logits',
    shape: [1, 2],
    datatype: 'FP32',
    data: new Float32Array([1, -2]),
  };
  const labels = toClassificationTensor(
    'classes',
    [new Float32Array([0.25, 0.5, 0.125]), new Float32Array([3, 3, -1])],
    2,
    [{ label: 'tench' }, { label: 'crane' }, { label: 'great white shark' }],
  );

  it('is JSON when nothing is asked for as bytes', () => {
    const { headers, body } = formatInferResponse({
      modelName: 'm',
      modelVersion: '2',
      id: '42',
      outputs: [
        { tensor: logits, binary: false },
        { tensor: labels, binary: false },
      ],
    });
    expect(headers).toEqual({ 'content-type': 'application/json' });
    expect(JSON.parse(text(body))).toEqual({
      model_name: 'm',
      model_version: '2',
      id: '42',
      outputs: [
        { name: 'logits', shape: [1, 2], datatype: 'FP32', data: [1, -2] },
        {
          name: 'classes',
          shape: [2, 2],
          datatype: 'BYTES',
          data: ['0.500000:1:crane', '0.250000:0:tench', '3.000000:0:tench', '3.000000:1:crane'],
        },
      ],
    });
  });

  it('puts binary outputs behind the JSON, in order', () => {
    const ok: OpenTensor = {
      name: 'x',
      shape: [1],
      datatype: 'BYTES',
      data: [new TextEncoder().encode('ok')],
    };
    const { headers, body } = formatInferResponse({
      modelName: 'm',
      modelVersion: '2',
      id: undefined,
      outputs: [
        { tensor: logits, binary: true },
        { tensor: ok, binary: true },
      ],
    });
    const jsonBytes = Number(headers['inference-header-content-length']);
    expect(headers['content-type']).toBe('application/octet-stream');
    const json = JSON.parse(text(body.subarray(0, jsonBytes)));
    expect(json).not.toHaveProperty('id');
    expect(json.outputs.map((output: { parameters: unknown }) => output.parameters)).toEqual([
      { binary_data_size: 8 },
      { binary_data_size: 6 },
    ]);
    expect([...body.subarray(jsonBytes)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 2, 0, 0, 0, 0x6f, 0x6b]);
  });
});

describe('what the model takes', () => {
  const side = manifest.preprocess.centerCrop;
  const tensor = (fields: Partial<OpenTensor>) => ({ name: 'data', ...fields }) as OpenTensor;

  it('splits FP32 and UINT8 batches into rows of one image, normalised', () => {
    const pixels = new Uint8Array(2 * side * side * 3).fill(255, side * side * 3);
    const [black, white] = toModelInputs(
      [tensor({ datatype: 'UINT8', shape: [2, side, side, 3], data: pixels })],
      manifest,
      4,
    );
    // (0 - 0.485) / 0.229 and (1 - 0.406) / 0.225, ImageNet's red of black and blue of white.
    expect(black).toMatchObject({ kind: 'tensor', tensor: { shape: [1, 3, side, side] } });
    const first = black?.kind === 'tensor' ? black.tensor.data[0]! : Number.NaN;
    const last = white?.kind === 'tensor' ? white.tensor.data.at(-1)! : Number.NaN;
    expect([first, last].map((value) => value.toFixed(5))).toEqual(['-2.11790', '2.64000']);

    const values = new Float32Array(2 * 3 * side * side);
    values[3 * side * side] = 5;
    const rows = toModelInputs(
      [tensor({ datatype: 'FP32', shape: [2, 3, side, side], data: values })],
      manifest,
      4,
    );
    expect(rows.map((row) => row.kind === 'tensor' && row.tensor.data[0])).toEqual([0, 5]);
    for (const row of rows)
      expect(row).toMatchObject({ kind: 'tensor', tensor: { datatype: 'FP32', shape: [1, 3, side, side] } });
  });

  it('takes image files in a row or a column, as many as it may', () => {
    const data = [1, 2, 3, 4].map((byte) => Uint8Array.of(byte));
    for (const shape of [[4], [4, 1]])
      expect(toModelInputs([tensor({ datatype: 'BYTES', shape, data })], manifest, 4)).toEqual(
        data.map((bytes) => ({ kind: 'image', bytes })),
      );
  });

  it.each([
    [[], 'The model has one input, got: 0.'],
    [[tensor({}), tensor({})], 'The model has one input, got: 2.'],
    [[tensor({ datatype: 'FP32', shape: [] })], 'inputs[0].shape[0] must be 0, got: undefined.'],
    [[tensor({ datatype: 'BYTES', shape: [2, 2] })], 'inputs[0].shape[1] must be 1, got: 2.'],
    [
      [tensor({ name: 'image', datatype: 'BYTES', shape: [1] })],
      'inputs[0].name must be "data", got: "image".',
    ],
    [[tensor({ datatype: 'FP32', shape: [1, 3, 224, 225] })], 'inputs[0].shape[3] must be 224, got: 225.'],
    [[tensor({ datatype: 'FP32', shape: [1, 3, 224] })], 'inputs[0].shape[3] must be 224, got: undefined.'],
    [
      [tensor({ datatype: 'UINT8', shape: [1, 224, 224, 3, 1] })],
      'inputs[0].shape must be of 4 dimensions, got: [1,224,224,3,1].',
    ],
    [[tensor({ datatype: 'BYTES', shape: [1, 2] })], 'inputs[0].shape[1] must be 1, got: 2.'],
  ])('refuses %j', (inputs, message) => {
    expect(() => toModelInputs(inputs, manifest, 4)).toThrow(new CodedError('tensor_invalid', message));
  });

  it('refuses more images than it is told to take', () => {
    expect(() => toModelInputs([tensor({ datatype: 'BYTES', shape: [5] })], manifest, 4)).toThrow(
      new CodedError('too_many_images', '5 images, at most 4 are taken.'),
    );
  });

  it('says so in its metadata', () => {
    expect(toModelMetadata(manifest, 'resnet-int8')).toEqual({
      name: 'resnet18-imagenet1k',
      versions: ['3'],
      platform: 'resnet-int8',
      inputs: [
        { name: 'data', datatype: 'FP32', shape: [-1, 3, 224, 224] },
        { name: 'data', datatype: 'UINT8', shape: [-1, 224, 224, 3] },
        { name: 'data', datatype: 'BYTES', shape: [-1] },
      ],
      outputs: [
        { name: 'logits', datatype: 'FP32', shape: [-1, 1000] },
        { name: 'embedding', datatype: 'FP32', shape: [-1, -1] },
      ],
    });
    expect(toModelMetadata(manifest, 'onnx', ['logits']).outputs).toHaveLength(1);
  });
});
