/**
 * `npm run bench:teach -- LEARN JUDGE [--features DIR]`: accuracy on photos of others by photos a class, beside the nearest
 * class mean and the nearest neighbours on the same features, what the report itself estimates, what a lesson takes, and
 * how many heads an isolate keeps. LEARN and JUDGE are folders of classes, or CSV files of rows path,class. No photo set is
 * part of this repository. DIR gets the features, for test/bench/linear-probe.py.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { learningViewCount } from '../../src/classify/learning-views.ts';
import { toPath } from '../../src/cli/command-line/to-path.ts';
import { openFeatureReader } from '../../src/cli/models/teach/feature-reader.ts';
import { type LessonPhotos, listLessonPhotos } from '../../src/cli/models/teach/list-photos.ts';
import { findModel } from '../../src/cli/models/workspace.ts';
import { dot } from '../../src/learn/dot.ts';
import { loadMatrixRoutines } from '../../src/learn/matrix/matrix-routines-node.ts';
import { createPace } from '../../src/learn/pace.ts';
import { type Example, type Lesson, teach } from '../../src/learn/teach.ts';
import { maxHeadsBytes } from '../../src/limits.ts';
import { toHead } from '../../src/model/format-head-version.ts';
import { formatHead } from '../../src/model/head.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { features: { type: 'string' } },
});
const [learn, judge, ...surplus] = positionals;
if (learn === undefined || judge === undefined || surplus.length > 0) {
  console.error('Usage: npm run bench:teach -- LEARN JUDGE [--features DIR]');
  process.exit(2);
}

interface Photo extends Example {
  readonly views: readonly Float32Array[];
  /** The first of the views. */
  readonly vector: Float32Array;
}

const module = loadMatrixRoutines();
const backbone = await findModel('resnet18-imagenet1k');
const reader = await openFeatureReader(backbone);
const learned = await listLessonPhotos(toPath(learn));
const labels = learned.labels;
const photos = await readAll(learned);
const judged = await readAll(await listLessonPhotos(toPath(judge)));
if (values.features !== undefined) await writeFeatures(toPath(values.features));
console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${labels.length} classes, ${photos.length} photos to learn from, ${judged.length} to judge`,
);
console.log(
  'photos a class  taught  nearest mean  nearest 1  nearest 5  own estimate (95 %)       CPU s  memory',
);
for (const most of [1, 2, 5, 10, 20, Number.POSITIVE_INFINITY]) {
  const examples = thin(photos, most);
  const { lesson, seconds, megabytes } = await measureLesson(examples);
  const { accuracy } = lesson.report;
  const estimate = accuracy
    ? `${percent(accuracy.estimate)} (${percent(accuracy.low)} to ${percent(accuracy.high)})`
    : '-';
  const cells = [
    String(Number.isFinite(most) ? most : 'all').padStart(14),
    percent(measure((vector) => pickByLesson(lesson, vector))).padStart(8),
    percent(measure(nearestMean(examples))).padStart(14),
    percent(measure(nearestNeighbours(examples, 1))).padStart(11),
    percent(measure(nearestNeighbours(examples, 5))).padStart(11),
    `  ${estimate.padEnd(24)}`,
    seconds.toFixed(1).padStart(7),
    `${megabytes} MB`.padStart(8),
  ];
  console.log(cells.join(''));
}
const { lesson } = await measureLesson(thin(photos, 1));
const headBytes = formatHead(toHead(lesson, labels, backbone.manifest, reader.blocks)).length;
console.log(
  `a head of ${labels.length} classes has ${headBytes} bytes, ${Math.round(headBytes / labels.length)} a class; an isolate keeps ${Math.floor(maxHeadsBytes / headBytes)} of them`,
);

/** Memory is what the heap and all buffers grow by at most, seen at each pause; the features are not part of it. */
async function measureLesson(examples: readonly Example[]) {
  globalThis.gc?.();
  const used = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
  const before = used();
  let most = before;
  const pace = createPace(async () => {
    most = Math.max(most, used());
  });
  const started = process.cpuUsage();
  const lesson = await teach(examples, labels, { module, viewCount: learningViewCount, pace });
  const { user, system } = process.cpuUsage(started);
  return { lesson, seconds: (user + system) / 1e6, megabytes: Math.round((most - before) / 1e6) };
}

async function readAll({ labels: own, photos: listed }: LessonPhotos): Promise<Photo[]> {
  const examples: Photo[] = [];
  for (const { path, name, label } of listed) {
    const views = await reader.read(new Uint8Array(await readFile(path)));
    examples.push({
      name,
      label: labels.indexOf(own[label]!),
      views,
      vector: views[0]!,
      read: async () => views[0]!,
      readViews: async () => views,
    });
  }
  return examples;
}

/** FP32 [photos][features] of each photo itself, and the classes, for peers that are no part of this project. */
async function writeFeatures(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, rows] of [
    ['learn', photos],
    ['judge', judged],
  ] as const) {
    const bytes = Buffer.concat(
      rows.map(
        ({ vector: { buffer, byteOffset, byteLength } }) => new Uint8Array(buffer, byteOffset, byteLength),
      ),
    );
    await writeFile(join(folder, `${name}.f32`), bytes);
    await writeFile(join(folder, `${name}.json`), JSON.stringify(rows.map(({ label }) => label)));
  }
}

/** At most so many photos of each class, spread evenly over what there is. */
function thin(all: readonly Photo[], most: number): Photo[] {
  return labels.flatMap((_, label) => {
    const own = all.filter((example) => example.label === label);
    const count = Math.min(most, own.length);
    return Array.from({ length: count }, (__, index) => own[Math.floor((index * own.length) / count)]!);
  });
}

function measure(pick: (vector: Float32Array) => number): number {
  return judged.filter(({ vector, label }) => pick(vector) === label).length / judged.length;
}

function pickByLesson({ weights, biases }: Lesson, vector: Float32Array): number {
  const sums = biases.map(
    (bias, c) => bias + dot(weights.subarray(c * vector.length, (c + 1) * vector.length), vector),
  );
  return sums.indexOf(Math.max(...sums));
}

function nearestMean(examples: readonly Photo[]): (vector: Float32Array) => number {
  const means = labels.map((_, label) => {
    const own = examples.filter((example) => example.label === label);
    return own[0]!.vector.map((__, f) => own.reduce((sum, { vector }) => sum + vector[f]!, 0) / own.length);
  });
  return (vector) => {
    const distances = means.map((mean) => dot(mean, mean) - 2 * dot(mean, vector));
    return distances.indexOf(Math.min(...distances));
  };
}

/** The class that most of the nearest have, by cosine; of equals that of the nearest. */
function nearestNeighbours(examples: readonly Photo[], count: number): (vector: Float32Array) => number {
  return (vector) => {
    const nearest = examples
      .map((example) => ({ label: example.label, cosine: dot(example.vector, vector) }))
      .sort((a, b) => b.cosine - a.cosine)
      .slice(0, count);
    const votes = new Map<number, number>();
    for (const { label } of nearest) votes.set(label, (votes.get(label) ?? 0) + 1);
    const most = Math.max(...votes.values());
    return nearest.find(({ label }) => votes.get(label) === most)!.label;
  };
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}
