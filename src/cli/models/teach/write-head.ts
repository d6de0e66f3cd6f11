import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lesson } from '../../../learn/teach.ts';
import { formatHead } from '../../../model/head.ts';
import { modelNameSchema } from '../../../model/manifest.ts';
import { labelsFile } from '../labels.ts';
import { describeFile } from '../make.ts';
import { createVersion, type LocalModel, writeManifest } from '../workspace.ts';

const headFile = 'model.rnhd';
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
  { weights, biases, temperature, threshold, report }: Lesson,
): Promise<LocalModel> {
  const name = modelNameSchema.safeParse(given);
  if (!name.success)
    throw new Error(`"${given}" cannot be a model's name: ${name.error.issues[0]?.message}.`);
  const { folder, version } = await createVersion(name.data);
  try {
    const head = { classes: labels.length, blocks: [...blocks], temperature, threshold, weights, biases };
    await writeFile(join(folder, headFile), formatHead(head));
    const rows = labels.map((label, class_index) => JSON.stringify({ class_index, wnid: '', label }));
    await writeFile(join(folder, labelsFile), `[\n${rows.join(',\n')}\n]\n`);
    await writeFile(join(folder, reportFile), `${JSON.stringify(report, undefined, 2)}\n`);
    const { input, preprocess, licence } = backbone.json;
    const { name: model, version: modelVersion } = backbone.manifest;
    const json = {
      name: name.data,
      version,
      description: `${labels.length} classes learned from ${report.photos} photos.`,
      files: { head: await describeFile(join(folder, headFile)) },
      labels: await describeFile(join(folder, labelsFile)),
      datatype: 'fp32',
      input,
      output: { name: backbone.manifest.output.name, kind: 'logits', classes: labels.length },
      preprocess,
      backbone: { name: model, version: modelVersion },
      source: `Taught on this machine; backbone ${model}/${modelVersion}`,
      licence,
      accuracy: [],
      tier: 'edge',
    };
    return { folder, manifest: await writeManifest(folder, json), json };
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}
