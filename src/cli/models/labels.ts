import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { parseLabels } from '../../model/manifest.ts';
import { assetPathOfDefaultLabels } from '../paths.ts';

export const labelsFile = 'labels.json';

/** Path of a file of labels, or the labels themselves, in the order of the classes. */
export type LabelSource = string | readonly string[];

/**
 * Puts labels.json into a model's folder.
 *
 * @param source a labels.json like the embedded one, a text file with one label a line, a Hugging Face `config.json`,
 *   or the labels themselves; undefined for ImageNet-1k. Of two classes the second may be named alone.
 * @throws {Error} if it has another number of rows than the model has classes.
 */
export async function writeLabels(
  folder: string,
  source: LabelSource | undefined,
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
  const rows = completePair(typeof source === 'string' ? await readRows(source) : toRows(source), classes);
  parseLabels(rows, classes);
  await writeFile(target, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
}

interface LabelRow {
  readonly class_index: number;
  readonly wnid: string;
  readonly label: string;
}

async function readRows(path: string): Promise<readonly LabelRow[]> {
  const text = await readFile(path, 'utf8');
  return extname(path) === '.json'
    ? toRows(JSON.parse(text))
    : toRows(text.split(/\r?\n/).filter((line) => line.trim() !== ''));
}

/** A model with one output says whether something is there: its one label is the second class. */
function completePair(rows: readonly LabelRow[], classes: number): readonly LabelRow[] {
  const [only] = rows;
  if (classes !== 2 || rows.length !== 1 || !only) return rows;
  return [
    { class_index: 0, wnid: '', label: `not ${only.label}` },
    { ...only, class_index: 1 },
  ];
}

/** Rows as they are, a list of names, or an `id2label` object as Hugging Face writes it, alone or in its config.json. */
function toRows(json: unknown): readonly LabelRow[] {
  if (Array.isArray(json)) {
    return json.map((entry, class_index) =>
      typeof entry === 'string' ? { class_index, wnid: '', label: entry.trim() } : (entry as LabelRow),
    );
  }
  if (typeof json === 'object' && json !== null) {
    if ('id2label' in json) return toRows(json.id2label);
    return Object.entries(json)
      .map(([index, label]) => ({ class_index: Number(index), wnid: '', label: String(label) }))
      .sort((a, b) => a.class_index - b.class_index);
  }
  throw new Error(
    'Labels are an array of names, rows like those of the embedded labels.json, or an id2label object.',
  );
}
