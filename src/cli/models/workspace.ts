import { access, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelManifest, parseManifest } from '../../model/manifest.ts';
import { manifestFile } from '../../model/model-store.ts';
import { assetsDir, workspaceDir } from '../paths.ts';

/** A model version on this machine. */
export interface LocalModel {
  readonly folder: string;
  readonly manifest: ModelManifest;
  /** The manifest as it stands in the file. */
  readonly json: Readonly<Record<string, unknown>>;
}

/**
 * @param reference `name` (its highest version) or `name/version`; the workspace goes before model-assets.
 * @throws {Error} naming what there is.
 */
export async function findModel(reference: string): Promise<LocalModel> {
  const [name, version, ...rest] = reference.split('/');
  if (!name || rest.length > 0) throw new Error(`A model is NAME or NAME/VERSION, got "${reference}".`);
  const models = await listLocalModels();
  const found = models.filter(
    ({ manifest }) => manifest.name === name && (version === undefined || manifest.version === version),
  );
  const last = found.at(-1);
  if (last) return last;
  const known = models.map(({ manifest }) => `${manifest.name}/${manifest.version}`).join(', ');
  throw new Error(`There is no model "${reference}" on this machine. There is: ${known}.`);
}

export const onnxFile = 'model.onnx';

/** Whether the ONNX graph lies beside the manifest: it does for what was imported on this machine. */
export async function hasGraph({ folder }: LocalModel): Promise<boolean> {
  return await access(join(folder, onnxFile)).then(
    () => true,
    () => false,
  );
}

/** Everything in model-assets and in the workspace; of a name, the newest of the workspace comes last. */
export async function listLocalModels(): Promise<readonly LocalModel[]> {
  return [...(await listModels(assetsDir)), ...(await listModels(workspaceDir))];
}

async function listModels(root: string): Promise<LocalModel[]> {
  const models: LocalModel[] = [];
  for (const name of await listFolders(root)) {
    const versions = (await listFolders(join(root, name))).sort(byNumber);
    for (const version of versions) {
      const folder = join(root, name, version);
      const text = await readFile(join(folder, manifestFile), 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      const json = JSON.parse(text);
      models.push({ folder, manifest: parseManifest(json), json });
    }
  }
  return models;
}

/** @returns a new folder for the next version of `name`, and that version: 1, 2, 3. */
export async function createVersion(name: string): Promise<{ folder: string; version: string }> {
  const taken = (await listLocalModels()).filter(({ manifest }) => manifest.name === name);
  const version = String(Math.max(0, ...taken.map(({ manifest }) => Number(manifest.version) || 0)) + 1);
  const folder = join(workspaceDir, name, version);
  await mkdir(folder, { recursive: true });
  return { folder, version };
}

/** Checks a manifest and puts it in place whole. */
export async function writeManifest(
  folder: string,
  json: Readonly<Record<string, unknown>>,
): Promise<ModelManifest> {
  const manifest = parseManifest(json);
  const path = join(folder, manifestFile);
  await writeFile(`${path}.partial`, `${JSON.stringify(json, undefined, 2)}\n`);
  await rename(`${path}.partial`, path);
  return manifest;
}

async function listFolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}

function byNumber(a: string, b: string): number {
  return Number(a) - Number(b) || a.localeCompare(b);
}
