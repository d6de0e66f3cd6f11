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
  it.each<[string, object]>([
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
    expect(() => parseManifest({ ...valid, ...change })).toThrow(where);
  });
});

describe('parseCatalog', () => {
  it('refuses a default that is not listed', () => {
    expect(() => parseCatalog({ default_model: 'a', models: [{ name: 'b', version: '1' }] })).toThrow(
      'default_model',
    );
  });
});

describe('parseLabels', () => {
  const row = { class_index: 0, wnid: 'n1', label: 'one' };
  it('refuses another number of rows than classes, and rows out of order', () => {
    expect(() => parseLabels([row], 2)).toThrow('1 rows for 2 classes');
    expect(() => parseLabels([{ ...row, class_index: 1 }], 1)).toThrow('ordered');
  });
});
