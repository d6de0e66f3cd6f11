import { learningViewCount } from '../../classify/learning-views.ts';
import { CodedError } from '../../errors.ts';
import { createPace } from '../../learn/pace.ts';
import { type Example, teach } from '../../learn/teach.ts';
import { maxClassifierExamples } from '../../limits.ts';
import { toHead } from '../../model/format-head-version.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import type { ClassifierExample, TaughtClassifier } from './classifier.ts';
import type { ClassifierStore } from './classifier-store.ts';
import type { ExampleStore } from './example-store.ts';
import type { FeatureStore } from './feature-store.ts';
import type { HeadStore } from './head-store.ts';
import { nameExamples } from './lesson-report.ts';
import type { VersionStore } from './version-store.ts';

export interface LessonServices {
  readonly store: ClassifierStore;
  readonly versions: VersionStore;
  readonly examples: ExampleStore;
  readonly features: FeatureStore;
  readonly heads: HeadStore;
  /** The manifest of a classifier's base, and the number of values of each of its blocks, first block first. */
  readonly readBase: (
    base: TaughtClassifier['base'],
  ) => Promise<{ manifest: ModelManifest; blocks: readonly number[] }>;
  /** `matrix-routines.wasm` of src/learn, compiled. */
  readonly matrixRoutines: WebAssembly.Module;
  /** Gives other work of this isolate a turn. */
  readonly pause: () => Promise<void>;
}

/**
 * Learns a version from the current examples, stores it, and lets it answer. If it is cut short, it can be repeated: the
 * same examples give the same weights.
 *
 * @returns whether another version must be trained, because examples came during the lesson.
 * @throws {CodedError} `classifier_not_trainable`, which is final; what reading the base throws.
 */
export async function runLesson(id: string, number: number, services: LessonServices): Promise<boolean> {
  const { store, versions, heads } = services;
  const classifier = await store.find(id);
  const version = classifier && (await versions.find(id, number));
  if (!classifier || !version) return false;
  if (version.state === 'failed') return false;
  // The lesson was finished, but the step after it was cut short.
  if (version.state === 'ready') return (await versions.finish(id, number, version))?.again ?? false;

  await versions.begin(id, number);
  const { manifest, blocks } = await services.readBase(classifier.base);
  const features = blocks.reduce((sum, size) => sum + size, 0);
  const { labels, examples, known } = await readExamples(id, features, services);
  const lesson = await teach(examples, labels, {
    module: services.matrixRoutines,
    viewCount: learningViewCount,
    pace: createPace(services.pause),
  });
  const { report } = lesson;
  // Another message of the same lesson may have been faster. A version that answers must not be written again.
  if ((await versions.find(id, number))?.state !== 'training') return false;
  await heads.put(
    {
      name: id,
      version: String(number),
      backbone: manifest,
      head: toHead(lesson, labels, manifest, blocks),
      description: `${classifier.name}: ${labels.length} classes learned from ${report.photos} photos.`,
      source: `Taught by its owner; backbone ${manifest.name}/${manifest.version}`,
    },
    nameExamples(report, known),
  );
  const finished = await versions.finish(id, number, {
    classes: labels.length,
    examples: report.photos,
    accuracy: report.accuracy,
  });
  if (!finished) {
    // The classifier was deleted during the lesson.
    await heads.deleteAll(id);
    return false;
  }
  for (const surplus of await versions.findSurplus(id)) {
    // The row is deleted first, so that nobody can make this version answer.
    if (await versions.deleteSurplus(id, surplus)) await heads.delete(id, surplus);
  }
  return finished.again;
}

/** Leaves out classes without a photo, which may get photos later. */
async function readExamples(
  id: string,
  features: number,
  { examples: store, features: vectors }: LessonServices,
): Promise<{ labels: string[]; examples: Example[]; known: ClassifierExample[] }> {
  const known = await store.list(id, maxClassifierExamples);
  const labels = (await store.countByClass(id))
    .filter(({ name }) => known.some((example) => example.class === name))
    .map(({ name }) => name);
  if (labels.length < 2) {
    throw new CodedError('classifier_not_trainable', 'There must be two classes that have a photo.');
  }
  const examples = known.flatMap(({ id: example, class: label }): Example[] => {
    if (!labels.includes(label)) return [];
    const read = async () => assertThere(await vectors.readFirst(id, example, features), example, features);
    const readViews = async () => {
      const views = await vectors.readAll(id, example);
      assertThere(views[0], example, features);
      return views;
    };
    return [{ name: example, label: labels.indexOf(label), read, readViews }];
  });
  return { labels, examples, known };
}

/** @throws {Error} if the example has just been removed. The lesson then begins again, without it. */
function assertThere(vector: Float32Array | undefined, example: string, features: number): Float32Array {
  if (vector?.length !== features) throw new Error(`The features of the example ${example} are not there.`);
  return vector;
}
