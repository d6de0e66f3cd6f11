import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { locateModelFile } from '../../src/cli/model-files.ts';
import { parseManifest } from '../../src/model/manifest.ts';

export const goldenNames = ['cat', 'coffee', 'rocket'] as const;
export const photoFiles = { cat: 'cat.jpg', coffee: 'coffee.png', rocket: 'rocket.jpg' } as const;
export const goldenPath = (file: string) => fileURLToPath(new URL(file, import.meta.url));
export const assetPath = (key: string) =>
  fileURLToPath(new URL(`../../model-assets/${key}`, import.meta.url));
export const defaultModel = { name: 'resnet18-imagenet1k', version: '3' } as const;
/** The default model's network as onnxruntime runs it, and as the int8 engine does. */
export const modelPath = assetPath('resnet18-imagenet1k/3/model.onnx');
export const findEngineFile = async () =>
  await locateModelFile(assetPath('resnet18-imagenet1k/3'), await readDefaultManifest(), 'rni8');
export const readDefaultManifest = async () =>
  parseManifest(JSON.parse(await readFile(assetPath('resnet18-imagenet1k/3/manifest.json'), 'utf8')));
/** Store key of one file of the default model. */
export const defaultKey = (file: string) => `${defaultModel.name}/${defaultModel.version}/${file}`;

/** Logits of the default model by photo, made by onnxruntime-node. */
export async function readGoldenLogits(): Promise<Record<(typeof goldenNames)[number], number[]>> {
  return JSON.parse(await readFile(goldenPath('logits.json'), 'utf8'));
}

/**
 * The 40 reference photos handed over beside the project. Tests that need them are skipped, visibly,
 * where RESNET_EDGE_SHARED does not name the folder.
 */
export const sharedDir = process.env['RESNET_EDGE_SHARED'];
export const hasShared = sharedDir !== undefined && existsSync(join(sharedDir, 'golden/golden.json'));
export const sharedPath = (file: string) => join(sharedDir ?? '', file);

export interface SharedGolden {
  readonly image: string;
  readonly crop: string;
  readonly class_index: number;
  readonly top5_int8: readonly {
    readonly class_index: number;
    readonly score: number;
    readonly logit: number;
  }[];
}

export async function readSharedGoldens(): Promise<readonly SharedGolden[]> {
  return JSON.parse(await readFile(sharedPath('golden/golden.json'), 'utf8')).items;
}

/** ImageNet normalisation written out here again, on purpose: a golden must not use the code it judges. */
export async function readCropTensor(path: string): Promise<Float32Array> {
  const { width, height, channels, data } = decode(await readFile(path));
  if (width !== 224 || height !== 224 || channels !== 3) throw new Error(`${path} is not a 224x224 RGB crop`);
  const mean = [0.485, 0.456, 0.406];
  const std = [0.229, 0.224, 0.225];
  const pixels = width * height;
  const tensor = new Float32Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const sample = Number(data[pixel * 3 + channel]) / 255;
      tensor[channel * pixels + pixel] = (sample - mean[channel]!) / std[channel]!;
    }
  }
  return tensor;
}
