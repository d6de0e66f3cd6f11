import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { listImages } from '../../list-images.ts';

export interface LessonPhotos {
  /** Names of the classes, in order. */
  readonly labels: readonly string[];
  readonly photos: readonly LessonPhoto[];
}

export interface LessonPhoto {
  readonly path: string;
  /** As a person knows it. */
  readonly name: string;
  /** Index among the labels. */
  readonly label: number;
}

/**
 * @param source a folder with a folder for each class, or a CSV file of rows `path,class`, with paths relative to it.
 * @throws {Error} if there are fewer than two classes, or a class without a photo.
 */
export async function listLessonPhotos(source: string): Promise<LessonPhotos> {
  const rows = (await stat(source)).isDirectory() ? await readFolders(source) : await readTable(source);
  const labels = [...new Set(rows.map(({ label }) => label))].sort();
  if (labels.length < 2) {
    throw new Error(
      `${source} has ${labels.length} classes; two are needed. Expected CLASS/PHOTO in a folder, or rows "path,class" in a file.`,
    );
  }
  const photos = rows.map(({ path, label }) => ({
    path,
    name: relative(dirname(source), path),
    label: labels.indexOf(label),
  }));
  return { labels, photos };
}

interface Row {
  readonly path: string;
  readonly label: string;
}

async function readFolders(source: string): Promise<Row[]> {
  const classes = (await readdir(source, { withFileTypes: true })).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
  );
  const rows: Row[] = [];
  for (const { name: label } of classes) {
    for (const path of await listImages(join(source, label))) rows.push({ path, label });
  }
  return rows;
}

async function readTable(source: string): Promise<Row[]> {
  const lines = (await readFile(source, 'utf8')).split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const comma = line.lastIndexOf(',');
    const label = line.slice(comma + 1).trim();
    if (comma < 1 || label === '') throw new Error(`${source}: expected "path,class", got "${line}".`);
    return { path: resolve(dirname(source), line.slice(0, comma).trim()), label };
  });
}
