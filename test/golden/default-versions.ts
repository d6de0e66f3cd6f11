import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { verifyAssets } from '../../src/cli/assets.ts';
import { describeFile } from '../../src/cli/models/describe-file.ts';
import { compileToOrt } from '../../src/toolchain/quantize/compile-to-ort.ts';
import { assetPath, defaultKey, modelPath } from './golden.ts';

/** Bytes of what belongs into the store, by key: also of files that are derived and not committed. */
export async function readAsset(key: string): Promise<Uint8Array<ArrayBuffer>> {
  const asset = (await verifyAssets()).get(key);
  if (!asset) throw new Error(`There is no asset ${key}.`);
  return new Uint8Array(await readFile(asset.path));
}

/** @param root becomes a store of everything that model-assets stands for, derived files and all. */
export async function writeStore(root: string): Promise<void> {
  for (const [key, { path }] of await verifyAssets()) {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await copyFile(path, join(root, key));
  }
}

export interface VersionOptions {
  readonly name?: string;
  readonly version?: string;
  readonly tier?: 'edge' | 'node';
}

/**
 * Writes the default network as a version that has no file for the int8 engine: what any graph is that the engine does
 * not run. On the edge onnxruntime-web serves it.
 *
 * @param root becomes `root/name/version/{manifest.json,model.onnx,model.ort,labels.json}`.
 */
export async function writeOrtVersion(
  root: string,
  { name = 'resnet18-imagenet1k', version = '1', tier = 'edge' }: VersionOptions = {},
): Promise<string> {
  const folder = join(root, name, version);
  await mkdir(folder, { recursive: true });
  await copyFile(modelPath, join(folder, 'model.onnx'));
  await copyFile(assetPath(defaultKey('labels.json')), join(folder, 'labels.json'));
  await compileToOrt(modelPath, join(folder, 'model.ort'));
  const manifest = JSON.parse(await readFile(assetPath(defaultKey('manifest.json')), 'utf8'));
  const files = {
    onnx: await describeFile(join(folder, 'model.onnx')),
    ort: await describeFile(join(folder, 'model.ort')),
  };
  // As `models compile` measures it.
  const runtime_memory_bytes = 36_700_160;
  await writeFile(
    join(folder, 'manifest.json'),
    JSON.stringify({ ...manifest, name, version, tier, files, runtime_memory_bytes }),
  );
  return folder;
}

/** The default network for onnxruntime-web, by store key. */
export async function makeOrtVersion(options: VersionOptions = {}): Promise<Map<string, Uint8Array>> {
  const root = await mkdtemp(join(tmpdir(), 'resnet-edge-ort-'));
  try {
    const folder = await writeOrtVersion(root, options);
    const { name = 'resnet18-imagenet1k', version = '1' } = options;
    const files = new Map<string, Uint8Array>();
    for (const file of ['model.ort', 'model.onnx', 'labels.json', 'manifest.json']) {
      files.set(`${name}/${version}/${file}`, new Uint8Array(await readFile(join(folder, file))));
    }
    return files;
  } finally {
    await rm(root, { recursive: true });
  }
}
