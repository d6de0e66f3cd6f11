import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compileToOrt } from '../../../src/toolchain/quantize/compile-to-ort.ts';
import { quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { runModel } from './ort-checks.ts';
import { buildResnet, imageShape } from './resnet-builder.ts';
import { smoothImages } from './smooth-images.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the .ort file gives the same logits as the model it was made from', async () => {
  async function* calibration() {
    yield* smoothImages(4, 1);
  }
  const { model } = await quantizeModel(buildResnet({ opset: 13 }), {
    calibration: calibration(),
    method: 'mse',
  });
  const outFile = join(folder, 'model.ort');
  await compileToOrt(model, outFile);
  expect(await readdir(folder)).toEqual(['model.ort']);

  const compiled = new Uint8Array(await readFile(outFile));
  // FlatBuffers file identifier of ONNX Runtime's format.
  expect(new TextDecoder().decode(compiled.subarray(4, 8))).toBe('ORTM');
  const images = smoothImages(4, 2);
  expect(await runModel(compiled, images, imageShape)).toEqual(await runModel(model, images, imageShape));
});

test('a model ONNX Runtime cannot read leaves nothing behind', async () => {
  await expect(compileToOrt(Uint8Array.of(1, 2, 3), join(folder, 'model.ort'))).rejects.toThrow();
  expect(await readdir(folder)).toEqual([]);
});
