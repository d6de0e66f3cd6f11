import { readFile } from 'node:fs/promises';
import { learningViewCount } from '../../../classify/learning-views.ts';
import { CodedError } from '../../../errors.ts';
import { loadMatrixRoutines } from '../../../learn/matrix/matrix-routines-node.ts';
import { type Example, teach as learn } from '../../../learn/teach.ts';
import { maxTeachPhotos } from '../../../limits.ts';
import { toHead } from '../../../model/format-head-version.ts';
import { toPath } from '../../command-line/to-path.ts';
import { defineModelCommand } from '../define-model-command.ts';
import { assertModelName } from '../model-name.ts';
import { Progress } from '../progress.ts';
import { type FeatureReader, openFeatureReader } from '../teach/feature-reader.ts';
import { type LessonPhoto, listLessonPhotos } from '../teach/list-photos.ts';
import { writeHeadVersion } from '../teach/write-head-version.ts';
import { writeReportPage } from '../teach/write-report-page.ts';
import { findModel } from '../workspace.ts';

/** `npm run models -- teach`: classes of one's own from a few photos. */
export const teach = defineModelCommand({
  summary: 'learn classes of your own from photos',
  synopsis: 'teach NAME DIR|FILE.csv [--base MODEL] [--strict] [--report FILE.html]',
  notes: `DIR has a folder for each class; the folders' names are the labels. FILE.csv has rows of path,class.
Writes the next version of NAME, which push and promote publish. Its report.json says how good it is.

--base MODEL  the backbone (default resnet18-imagenet1k)
--strict      fail on a file that cannot be read, instead of listing it
--report FILE the report as a page, with the doubtful photos`,
  options: {
    base: { type: 'string', default: 'resnet18-imagenet1k' },
    strict: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
  operands: { min: 2, max: 2 },
  async run({ base, strict, report: page }, [name, source]) {
    // Before minutes of work: a name that cannot be one.
    const model = assertModelName(`${name}`);
    const { labels, photos } = await listLessonPhotos(toPath(`${source}`));
    if (photos.length > maxTeachPhotos) {
      throw new Error(`${photos.length} photos; at most ${maxTeachPhotos} are learned from.`);
    }
    const backbone = await findModel(base);
    const reader = await openFeatureReader(backbone);
    const { examples, unreadable } = await readExamples(reader, photos, strict);
    const lesson = await learn(examples, labels, {
      module: loadMatrixRoutines(),
      viewCount: learningViewCount,
    });
    const { report } = lesson;
    const { name: baseName, version } = backbone.manifest;
    const { manifest, folder } = await writeHeadVersion(
      model,
      {
        backbone: backbone.manifest,
        head: toHead(lesson, labels, backbone.manifest, reader.blocks),
        description: `${labels.length} classes learned from ${report.photos} photos.`,
        source: `Taught on this machine; backbone ${baseName}/${version}`,
      },
      { 'report.json': `${JSON.stringify(report, undefined, 2)}\n` },
    );
    const { accuracy, learning_curve, threshold, calibration_error, doubtful, copies } = lesson.report;
    if (page !== undefined) await writeReportPage(toPath(page), model, labels, lesson, toPaths(photos));
    return {
      name: `${manifest.name}/${manifest.version}`,
      photos: examples.length,
      scenes: lesson.report.scenes,
      classes: labels.length,
      accuracy: accuracy ? `${accuracy.estimate} (95 %: ${accuracy.low} to ${accuracy.high})` : 'not known',
      learning_curve:
        learning_curve.map((point) => `${point.photos} photos ${point.accuracy}`).join(', ') || 'not known',
      calibration_error: calibration_error ?? 'not known',
      none_of_these_below: threshold,
      doubtful: doubtful.length,
      copies: copies.length,
      ...(unreadable.length > 0 && { unreadable: unreadable.join(', ') }),
      report: page ?? `${folder}/report.json`,
      next: `npm run models -- push ${manifest.name} --local && npm run models -- promote ${manifest.name} ${manifest.version} --local`,
    };
  },
});

const toPaths = (photos: readonly LessonPhoto[]) => new Map(photos.map(({ name, path }) => [name, path]));

async function readExamples(reader: FeatureReader, photos: readonly LessonPhoto[], isStrict: boolean) {
  const progress = new Progress('features', photos.length);
  const examples: Example[] = [];
  const unreadable: string[] = [];
  for (const [done, { path, name, label }] of photos.entries()) {
    try {
      const views = await reader.read(new Uint8Array(await readFile(path)));
      examples.push({ name, label, read: async () => views[0]!, readViews: async () => views });
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (isStrict) throw new Error(`${name}: ${error.message}`, { cause: error });
      unreadable.push(`${name} (${error.code})`);
    }
    progress.update(done + 1);
  }
  progress.end();
  return { examples, unreadable };
}
