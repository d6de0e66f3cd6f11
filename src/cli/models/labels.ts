import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { parseLabels } from '../../model/manifest.ts';
import { assetPathOfDefaultLabels } from '../paths.ts';

export const labelsFile = 'labels.json';

/**
 * Puts labels.json into a model's folder.
 *
 * @param source a labels.json like the embedded one, a text file with one label a line, or undefined
 *   for ImageNet-1k.
 * @throws {Error} if it has another number of rows than the model has classes.
 */
export async function writeLabels(
  folder: string,
  source: string | undefined,
  classes: number,
): Promise<void> {
  const target = join(folder, labelsFile);
  if (source === undefined) {
    if (classes !== 1000) {
      throw new Error(
        `The model has ${classes} classes, not ImageNet's 1000: name its labels with --labels FILE.`,
      );
    }
    await copyFile(assetPathOfDefaultLabels, target);
    return;
  }
  const text = await readFile(source, 'utf8');
  const rows =
    extname(source) === '.json'
      ? toRows(JSON.parse(text))
      : toRows(text.split(/\r?\n/).filter((line) => line.trim() !== ''));
  parseLabels(rows, classes);
  await writeFile(target, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
}

interface LabelRow {
  readonly class_index: number;
  readonly wnid: string;
  readonly label: string;
}

/** Rows as they are, a list of names, or an `id2label` object as Hugging Face writes it. */
function toRows(json: unknown): readonly LabelRow[] {
  if (Array.isArray(json)) {
    return json.map((entry, class_index) =>
      typeof entry === 'string' ? { class_index, wnid: '', label: entry.trim() } : (entry as LabelRow),
    );
  }
  if (typeof json === 'object' && json !== null) {
    return Object.entries(json)
      .map(([index, label]) => ({ class_index: Number(index), wnid: '', label: String(label) }))
      .sort((a, b) => a.class_index - b.class_index);
  }
  throw new Error(
    'Labels are an array of names, rows like those of the embedded labels.json, or an id2label object.',
  );
}
