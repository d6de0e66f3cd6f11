import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ClassLabel } from '../../model/manifest.ts';
import { imageExtensions, listImages } from '../list-images.ts';

export interface LabelledImage {
  readonly path: string;
  readonly classIndex: number;
}

/**
 * A folder with a folder for each class (named by WordNet id, class index or label), or a CSV file of
 * `path,class` rows with paths relative to the file.
 *
 * @throws {Error} naming the class that the model does not have; or if there is no image, saying what it looks for.
 */
export async function listLabelledImages(
  source: string,
  labels: readonly ClassLabel[],
): Promise<LabelledImage[]> {
  const images = await readLabelledImages(source, labels);
  if (images.length > 0) return images;
  throw new Error(
    `There are no images in ${source}: expected CLASS/IMAGE in it, where CLASS is a WordNet id, a class index or ` +
      `a label and IMAGE ends in ${[...imageExtensions].join(', ')}; or a file of rows "path,class".`,
  );
}

async function readLabelledImages(source: string, labels: readonly ClassLabel[]): Promise<LabelledImage[]> {
  const toIndex = createClassLookup(labels);
  if ((await stat(source)).isDirectory()) {
    const classes = (await readdir(source, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    const images: LabelledImage[] = [];
    for (const { name } of classes.sort((a, b) => a.name.localeCompare(b.name))) {
      const classIndex = toIndex(name);
      for (const path of await listImages(join(source, name))) images.push({ path, classIndex });
    }
    return images;
  }
  const rows = (await readFile(source, 'utf8')).split(/\r?\n/).filter((line) => line.trim() !== '');
  return rows.map((row) => {
    const comma = row.lastIndexOf(',');
    if (comma < 1) throw new Error(`${source}: expected "path,class", got "${row}".`);
    return {
      path: resolve(dirname(source), row.slice(0, comma)),
      classIndex: toIndex(row.slice(comma + 1).trim()),
    };
  });
}

function createClassLookup(labels: readonly ClassLabel[]): (name: string) => number {
  const byName = new Map<string, number>();
  const ambiguous = new Set<string>();
  for (const [index, { label, wnid }] of labels.entries()) {
    for (const name of wnid ? [label, wnid] : [label]) {
      if (byName.has(name)) ambiguous.add(name);
      byName.set(name, index);
    }
  }
  return (name) => {
    if (ambiguous.has(name)) {
      throw new Error(`Several classes are named "${name}": use the class index or the WordNet id.`);
    }
    const index = byName.get(name) ?? (/^\d+$/.test(name) ? Number(name) : undefined);
    if (index === undefined || index >= labels.length) throw new Error(`The model has no class "${name}".`);
    return index;
  };
}
