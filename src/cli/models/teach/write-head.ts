import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lesson } from '../../../learn/teach.ts';
import { formatHeadVersion, toHead } from '../../../model/format-head-version.ts';
import { modelNameSchema } from '../../../model/manifest.ts';
import { manifestFile } from '../../../model/model-store.ts';
import { createVersion, type LocalModel, writeManifest } from '../workspace.ts';

export const reportFile = 'report.json';

/**
 * Writes the next version of a head into the workspace.
 *
 * @param blocks values of each block of the backbone.
 * @throws {Error} if the name cannot be a model's.
 */
export async function writeHead(
  given: string,
  backbone: LocalModel,
  blocks: readonly number[],
  labels: readonly string[],
  lesson: Lesson,
): Promise<LocalModel> {
  const { report } = lesson;
  const name = modelNameSchema.safeParse(given);
  if (!name.success)
    throw new Error(`"${given}" cannot be a model's name: ${name.error.issues[0]?.message}.`);
  const { folder, version } = await createVersion(name.data);
  try {
    await writeFile(join(folder, reportFile), `${JSON.stringify(report, undefined, 2)}\n`);
    const files = await formatHeadVersion({
      name: name.data,
      version,
      backbone: backbone.manifest,
      labels,
      head: toHead(lesson, labels.length, blocks),
      description: `${labels.length} classes learned from ${report.photos} photos.`,
      source: `Taught on this machine; backbone ${backbone.manifest.name}/${backbone.manifest.version}`,
    });
    let json: Readonly<Record<string, unknown>> = {};
    for (const [file, bytes] of files) {
      if (file === manifestFile) json = JSON.parse(new TextDecoder().decode(bytes));
      else await writeFile(join(folder, file), bytes);
    }
    return { folder, manifest: await writeManifest(folder, json), json };
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}
