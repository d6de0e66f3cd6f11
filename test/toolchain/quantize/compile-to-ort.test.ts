import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bootEdgeRuntime, loadFile } from '../../../src/cli/models/node-runtime.ts';
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

test('on onnxruntime-web the .ort file gives the logits of the model it was made from', async () => {
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
  const session = await loadFile(await bootEdgeRuntime('onnxruntime-web'), outFile);
  const expected = await runModel(model, images, imageShape);
  for (const [index, data] of images.entries()) {
    const logits = (await session.run({ datatype: 'FP32', shape: [1, ...imageShape], data })).data;
    const differences = Array.from(expected[index]!, (value, place) => Math.abs(value - logits[place]!));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  }
});

test('a model ONNX Runtime cannot read leaves nothing behind', async () => {
  await expect(compileToOrt(Uint8Array.of(1, 2, 3), join(folder, 'model.ort'))).rejects.toThrow();
  expect(await readdir(folder)).toEqual([]);
});
