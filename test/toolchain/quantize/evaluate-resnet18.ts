/**
 * Measures the quantizer on ResNet-18: how far int8 logits lie from fp32's on held-out photographs, by
 * calibration method, beside the int8 file that was handed to the project.
 *
 *   RESNET_EDGE_SHARED=<folder> node test/toolchain/quantize/evaluate-resnet18.ts [method[:percentile] ...]
 *
 * 40 photographs in 5 folds by photograph: each is judged, in 6 views, by a model calibrated on the 32 others
 * in 4 views. The handed file is judged on the same 240 images; its card does not say whether some of the
 * photographs were among its 150 calibration images, so the comparison may flatter it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CalibrationMethod } from '../../../src/toolchain/quantize/activation-range.ts';
import { collect, crossValidate, imageShape, toAgreement, toViews } from './cross-validation.ts';
import { augmentations, readGoldenCrops } from './golden-images.ts';
import { argmax, relativeError, runModel } from './ort-checks.ts';

const shared = process.env.RESNET_EDGE_SHARED;
if (shared === undefined) throw new Error('RESNET_EDGE_SHARED must name the shared folder');
const readModel = (name: string) => new Uint8Array(readFileSync(join(shared, 'models', name)));
const wanted = process.argv.slice(2);
const variants = wanted.length > 0 ? wanted : ['percentile:99.999', 'percentile:99.9995', 'minmax', 'mse'];

/** All views are judged, and four of them calibrate. */
const views = { calibration: augmentations.slice(0, 4), heldOut: augmentations };
const crops = readGoldenCrops(shared);
const source = readModel('resnet18-imagenet1k-fp32.onnx');
const images = await collect(toViews(crops));
const reference = await runModel(source, images, imageShape);
const handed = await runModel(readModel('resnet18-imagenet1k-int8.onnx'), images, imageShape);

const labels = crops.flatMap(({ name }) => augmentations.map(() => readLabels().get(name) as number));

function readLabels(): Map<string, number> {
  const { items } = JSON.parse(readFileSync(join(shared ?? '', 'golden/golden.json'), 'utf8')) as {
    items: { crop: string; class_index: number }[];
  };
  return new Map(items.map((item) => [item.crop.replace('crops/', ''), item.class_index]));
}

const distance = (logits: Float32Array | undefined, i: number) =>
  relativeError([logits as Float32Array], [reference[i] as Float32Array]);

function print(name: string, logits: readonly Float32Array[]): void {
  const { images: count, sameTop1, logitError } = toAgreement(logits, reference);
  const correct = logits.filter((values, i) => argmax(values) === labels[i]).length;
  const nearer = logits.filter((values, i) => distance(values, i) < distance(handed[i], i)).length;
  const share = (part: number) => `${part}/${count} (${((100 * part) / count).toFixed(1)} %)`.padEnd(18);
  const error = `${(100 * logitError).toFixed(2)} %`.padEnd(12);
  console.log(`${name.padEnd(20)} ${share(sameTop1)} ${error} ${share(correct)} ${share(nearer)}`);
}

console.log(
  `${''.padEnd(20)} top-1 as fp32      logit error  top-1 as labelled  nearer fp32 than the handed file`,
);
print('fp32', reference);
print('handed int8 file', handed);
for (const variant of variants) {
  const [method, percentile] = variant.split(':') as [CalibrationMethod, string | undefined];
  const options = { method, ...(percentile === undefined ? {} : { percentile: Number(percentile) }) };
  const logits = await crossValidate(source, crops, 5, views, options);
  print(variant, logits);
}
