/**
 * Measures the quantizer on ResNet-18: how far int8 logits lie from fp32's on held-out photographs, by
 * calibration method, beside the int8 file that was handed to the project.
 *
 *   RESNET_EDGE_SHARED=<folder> node test/quantize/evaluate-resnet18.ts [method[:percentile] ...]
 *
 * 40 photographs in 5 folds by photograph: each is judged, in 6 views, by a model calibrated on the 32 others
 * in 4 views. The handed file saw none of them, as far as its card tells: it is judged on the same 240 images.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CalibrationMethod } from '../../src/quantize/activation-range.ts';
import {
  type Agreement,
  collect,
  crossValidate,
  imageShape,
  toAgreement,
  toViews,
} from './cross-validation.ts';
import { augmentations, readGoldenCrops } from './golden-images.ts';
import { runModel } from './ort-checks.ts';

const shared = process.env.RESNET_EDGE_SHARED;
if (shared === undefined) throw new Error('RESNET_EDGE_SHARED must name the shared folder');
const readModel = (name: string) => new Uint8Array(readFileSync(join(shared, 'models', name)));
const wanted = process.argv.slice(2);
const variants = wanted.length > 0 ? wanted : ['percentile:99.999', 'percentile:99.99', 'minmax', 'mse'];

/** All views are judged, and four of them calibrate. */
const views = { calibration: augmentations.slice(0, 4), heldOut: augmentations };
const crops = readGoldenCrops(shared);
const source = readModel('resnet18-imagenet1k-fp32.onnx');
const images = await collect(toViews(crops));
const reference = await runModel(source, images, imageShape);
const handed = await runModel(readModel('resnet18-imagenet1k-int8.onnx'), images, imageShape);

function print(name: string, { images: count, sameTop1, logitError }: Agreement): void {
  const share = ((100 * sameTop1) / count).toFixed(1);
  console.log(`${name.padEnd(20)} ${sameTop1}/${count} (${share} %)  ${(100 * logitError).toFixed(2)} %`);
}

console.log(`${'int8 model'.padEnd(20)} top-1 as fp32   logit error`);
print('handed int8 file', toAgreement(handed, reference));
for (const variant of variants) {
  const [method, percentile] = variant.split(':') as [CalibrationMethod, string | undefined];
  const options = { method, ...(percentile === undefined ? {} : { percentile: Number(percentile) }) };
  const logits = await crossValidate(source, crops, 5, views, options);
  print(variant, toAgreement(logits, reference));
}
