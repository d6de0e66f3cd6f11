/**
 * `npm run bench:teach -- LEARN JUDGE`: accuracy on photos of others by photos a class, beside the nearest class mean on
 * the same features, and what the report itself estimates. LEARN and JUDGE are folders of classes, or CSV files of rows
 * path,class. No photo set is part of this repository.
 */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { learningViewCount } from '../../src/classify/learning-views.ts';
import { toPath } from '../../src/cli/command-line/to-path.ts';
import { openFeatureReader } from '../../src/cli/models/teach/feature-reader.ts';
import { type LessonPhotos, listLessonPhotos } from '../../src/cli/models/teach/list-photos.ts';
import { findModel } from '../../src/cli/models/workspace.ts';
import { dot } from '../../src/learn/linear-algebra.ts';
import { type Example, type Lesson, teach } from '../../src/learn/teach.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const [learn, judge, ...surplus] = positionals;
if (learn === undefined || judge === undefined || surplus.length > 0) {
  console.error('Usage: npm run bench:teach -- LEARN JUDGE');
  process.exit(2);
}

const reader = await openFeatureReader(await findModel('resnet18-imagenet1k'));
const learned = await listLessonPhotos(toPath(learn));
const labels = learned.labels;
const photos = await readAll(learned);
const judged = await readAll(await listLessonPhotos(toPath(judge)));
console.log(
  `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${labels.length} classes, ${photos.length} photos to learn from, ${judged.length} to judge`,
);
console.log('photos a class  taught  nearest mean  own estimate (95 %)       seconds');
for (const most of [1, 2, 5, 10, 20, Number.POSITIVE_INFINITY]) {
  const examples = thin(photos, most);
  const started = performance.now();
  const lesson = await teach(examples, labels, { viewCount: learningViewCount });
  const seconds = (performance.now() - started) / 1000;
  const { accuracy } = lesson.report;
  const estimate = accuracy
    ? `${percent(accuracy.estimate)} (${percent(accuracy.low)} to ${percent(accuracy.high)})`
    : '-';
  const cells = [
    String(Number.isFinite(most) ? most : 'all').padStart(14),
    percent(measure((vector) => pickByLesson(lesson, vector))).padStart(8),
    percent(measure(nearestMean(examples))).padStart(14),
    `  ${estimate.padEnd(24)}`,
    seconds.toFixed(1).padStart(7),
  ];
  console.log(cells.join(''));
}

async function readAll({ labels: own, photos: listed }: LessonPhotos): Promise<Example[]> {
  const examples: Example[] = [];
  for (const { path, name, label } of listed) {
    const [vector, ...views] = await reader.read(new Uint8Array(await readFile(path)));
    examples.push({
      name,
      label: labels.indexOf(own[label]!),
      vector: vector!,
      readViews: async () => views,
    });
  }
  return examples;
}

/** At most so many photos of each class, spread evenly over what there is. */
function thin(all: readonly Example[], most: number): Example[] {
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

function nearestMean(examples: readonly Example[]): (vector: Float32Array) => number {
  const means = labels.map((_, label) => {
    const own = examples.filter((example) => example.label === label);
    return own[0]!.vector.map((__, f) => own.reduce((sum, { vector }) => sum + vector[f]!, 0) / own.length);
  });
  return (vector) => {
    const distances = means.map((mean) => dot(mean, mean) - 2 * dot(mean, vector));
    return distances.indexOf(Math.min(...distances));
  };
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}
