import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { quantizeModel } from '../../../src/toolchain/quantize/quantize-model.ts';
import { collect, crossValidate, imageShape, toAgreement, toViews } from './cross-validation.ts';
import { augmentations, readGoldenCrops } from './golden-images.ts';
import { countOperators, optimisedNodes, runModel } from './ort-checks.ts';

const shared = process.env.RESNET_EDGE_SHARED;
const title = `ResNet-18, ImageNet-1k${shared === undefined ? ' (skipped: set RESNET_EDGE_SHARED)' : ''}`;

describe.skipIf(shared === undefined)(title, () => {
  const folder = shared ?? '';
  let source: Uint8Array;
  beforeAll(() => {
    source = new Uint8Array(readFileSync(join(folder, 'models/resnet18-imagenet1k-fp32.onnx')));
  });

  test('every operator of the residual body is an integer kernel, in at most 16.6 MB', async () => {
    const calibration = toViews(readGoldenCrops(folder).slice(0, 2), augmentations.slice(0, 1));
    const { model } = await quantizeModel(source, { calibration, method: 'minmax' });
    expect(model.length).toBeLessThanOrEqual(16.6e6);
    expect(countOperators(await optimisedNodes(model))).toEqual({
      QuantizeLinear: 1,
      QLinearConv: 22,
      QLinearAdd: 9,
      MaxPool: 1,
      QLinearGlobalAveragePool: 1,
      Flatten: 1,
      QGemm: 1,
    });
  });

  test('agrees with fp32 on the best class of at least 96 % of held-out images', async () => {
    // Two folds by photograph: each is judged, in 4 views, by a model that saw the other 20 in 2 views.
    const views = augmentations.slice(0, 4);
    const crops = readGoldenCrops(folder);
    const reference = await runModel(source, await collect(toViews(crops, views)), imageShape);
    const heldOut = await crossValidate(
      source,
      crops,
      2,
      { calibration: views.slice(0, 2), heldOut: views },
      { method: 'percentile' },
    );
    const { images, sameTop1, logitError } = toAgreement(heldOut, reference);
    expect(images).toBe(160);
    expect(sameTop1 / images).toBeGreaterThanOrEqual(0.96);
    expect(logitError).toBeLessThan(0.05);
  }, 120_000);
});
