import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileKind, ModelManifest } from '../model/manifest.ts';
import { compileEngineModel } from '../toolchain/engine-compiler/compile-engine-model.ts';
import { stateDir } from './paths.ts';

/** Files that follow from another one byte for byte, kept by their SHA-256. */
const derivedDir = join(stateDir, 'derived');

/**
 * Where a file of a version is on this machine. It lies beside the manifest, or it follows from `model.onnx`: then it is
 * derived once, which takes about half a second, checked against the manifest and kept.
 *
 * @param folder where manifest.json lies.
 * @returns an absolute path.
 * @throws {Error} if the version has no such file, or what is derived has another SHA-256 than the manifest says.
 */
export async function locateModelFile(
  folder: string,
  manifest: ModelManifest,
  kind: FileKind,
): Promise<string> {
  const wanted = manifest.files[kind];
  const version = `${manifest.name}/${manifest.version}`;
  if (!wanted) throw new Error(`${version} has no file for ${kind}.`);
  const committed = join(folder, wanted.file);
  if (await exists(committed)) return committed;
  const { onnx } = manifest.files;
  if (kind !== 'rni8' || !onnx) throw new Error(`${version}/${wanted.file} is missing.`);
  const derived = join(derivedDir, `${wanted.sha256}.rni8`);
  if (await exists(derived)) return derived;
  const { file } = compileEngineModel(
    await readFile(join(folder, onnx.file)),
    manifest.preprocess.centerCrop,
  );
  const sha256 = createHash('sha256').update(file).digest('hex');
  if (sha256 !== wanted.sha256) {
    throw new Error(
      `${version}/${wanted.file}: ${onnx.file} compiles to SHA-256 ${sha256}, the manifest says ${wanted.sha256}. The compiler or the graph has changed: make a new version.`,
    );
  }
  await mkdir(derivedDir, { recursive: true });
  // Whole or not at all, also where two processes derive it at once.
  const partial = `${derived}.${process.pid}`;
  await writeFile(partial, file);
  await rename(partial, derived);
  return derived;
}

/** @returns what an isolate runs, or undefined if the version is for the batch tier alone. */
export function edgeKindOf({ files }: ModelManifest): 'rni8' | 'ort' | undefined {
  return files.rni8 ? 'rni8' : files.ort ? 'ort' : undefined;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
