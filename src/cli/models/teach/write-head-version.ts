import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatHeadVersion, type HeadVersion } from '../../../model/format-head-version.ts';
import { manifestFile } from '../../../model/model-store.ts';
import { createVersion, type LocalModel, writeManifest } from '../workspace.ts';

/**
 * Writes the next version of a head into the workspace, whole or not at all.
 *
 * @param name a model's name.
 * @param others texts of files beside those of the version, by their names.
 */
export async function writeHeadVersion(
  name: string,
  fields: Omit<HeadVersion, 'name' | 'version'>,
  others: Readonly<Record<string, string>> = {},
): Promise<LocalModel> {
  const { folder, version } = await createVersion(name);
  try {
    for (const [file, text] of Object.entries(others)) await writeFile(join(folder, file), text);
    let json: Readonly<Record<string, unknown>> = {};
    for (const [file, bytes] of await formatHeadVersion({ name, version, ...fields })) {
      if (file === manifestFile) json = JSON.parse(new TextDecoder().decode(bytes));
      else await writeFile(join(folder, file), bytes);
    }
    return { folder, manifest: await writeManifest(folder, json), json };
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}
