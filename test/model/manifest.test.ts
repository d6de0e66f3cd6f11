import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseCatalog, parseLabels, parseManifest } from '../../src/model/manifest.ts';
import { assetPath } from '../golden/golden.ts';
import { defaultSpec } from '../image/default-spec.ts';

const valid = JSON.parse(await readFile(assetPath('resnet18-imagenet1k/3/manifest.json'), 'utf8'));
const { onnx } = valid.files;

describe('parseManifest', () => {
  it('takes the embedded model', () => {
    expect(parseManifest(valid).preprocess).toEqual(defaultSpec);
  });
  it('takes the file that the edge’s runtime reads, and the first one where there is none', () => {
    const file = (name: string) => ({ ...onnx, file: name });
    const of = (files: object, tier = 'edge') => {
      const { runtime, edgeFile } = parseManifest({ ...valid, files, tier });
      return [runtime, edgeFile.file];
    };
    expect(of({ onnx, ort: file('a.ort'), rni8: file('a.rni8') })).toEqual(['resnet-int8', 'a.rni8']);
    expect(of({ onnx, ort: file('a.ort') })).toEqual(['onnxruntime-web', 'a.ort']);
    expect(of({ ort: file('a.ort') })).toEqual(['onnxruntime-web', 'a.ort']);
    expect(of({ onnx_fp16: file('a.onnx') }, 'node')).toEqual(['onnxruntime-web', 'a.onnx']);
  });
  it('keeps what it says of input, output, memory and accuracy', () => {
    expect(parseManifest(valid)).toMatchObject({
      name: 'resnet18-imagenet1k',
      version: '3',
      description: expect.stringContaining('ResNet-18'),
      input: { name: 'data', shape: [1, 3, 224, 224] },
      output: { name: 'logits', kind: 'logits', classes: 1000 },
      runtimeMemoryBytes: valid.runtime_memory_bytes,
      accuracy: valid.accuracy,
    });
    const { accuracy: _, runtime_memory_bytes: __, ...bare } = valid;
    expect(parseManifest(bare)).toMatchObject({ accuracy: [], runtimeMemoryBytes: undefined });
  });
  it('takes a crop that is the whole of the resized side', () => {
    const preprocess = { ...valid.preprocess, resize_shortest_edge: 224 };
    expect(parseManifest({ ...valid, preprocess }).preprocess.resizeShortestEdge).toBe(224);
  });
  it.each<[string, object]>([
    ['input.shape must be', { input: { ...valid.input, shape: [1, 3, 224, 299] } }],
    ['input.shape must be', { input: { ...valid.input, shape: [1, 3, 299, 224] } }],
    ['center_crop exceeds', { preprocess: { ...valid.preprocess, resize_shortest_edge: 223 } }],
    ['preprocess.std[0]', { preprocess: { ...valid.preprocess, std: [0, 1, 1] } }],
    ['preprocess', { preprocess: { ...valid.preprocess, center_crop: 300 } }],
    ['files.onnx.sha256', { files: { onnx: { ...onnx, sha256: 'abc' } } }],
    ['files.onnx.file', { files: { onnx: { ...onnx, file: '../secret' } } }],
    ['tier "edge" needs', { files: { onnx } }],
    ['at least one file', { files: {}, tier: 'node' }],
    ['name', { name: 'Not A Name' }],
    ['input.shape must be', { input: { ...valid.input, shape: [1, 3, 299, 299] } }],
    ['surprise', { surprise: true }],
  ])('refuses a wrong %s, naming it', (where, change) => {
    expect(() => parseManifest({ ...valid, ...change })).toThrow(
      expect.objectContaining({
        code: 'model_manifest_invalid',
        message: expect.stringContaining(where),
        retryAfterSeconds: 30,
      }),
    );
  });
  it('names the file, and the whole of it where no field is wrong', () => {
    expect(() => parseManifest(5)).toThrow('manifest.json is not valid: the whole: ');
    expect(() => parseCatalog(5)).toThrow('catalog.json is not valid: the whole: ');
    expect(() => parseLabels(5, 1)).toThrow('labels.json is not valid: the whole: ');
  });
});

describe('parseCatalog', () => {
  it('gives the version of each name', () => {
    const models = [
      { name: 'a', version: '1' },
      { name: 'b', version: '2' },
    ];
    const aliases = { 'microsoft/resnet-50': 'a' };
    expect(parseCatalog({ default_model: 'b', models }).aliases).toEqual(new Map());
    expect(parseCatalog({ default_model: 'b', models, aliases })).toEqual({
      defaultModel: 'b',
      aliases: new Map([['microsoft/resnet-50', 'a']]),
      versions: new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    });
  });
  it('refuses a default that is not listed', () => {
    expect(() => parseCatalog({ default_model: 'a', models: [{ name: 'b', version: '1' }] })).toThrow(
      'default_model',
    );
  });
});

describe('parseLabels', () => {
  const row = { class_index: 0, wnid: 'n1', label: 'one' };
  it('refuses another number of rows than classes, and rows out of order', () => {
    expect(() => parseLabels([row], 2)).toThrow(
      expect.objectContaining({
        code: 'model_manifest_invalid',
        message: 'labels.json has 1 rows for 2 classes.',
      }),
    );
    expect(parseLabels([row], 1)).toEqual([{ wnid: row.wnid, label: row.label }]);
    expect(() => parseLabels([row, row], 2)).toThrow('ordered');
    expect(() => parseLabels([{ ...row, class_index: 1 }], 1)).toThrow('ordered');
  });
});
