import type { Hold } from '../service/call-service.ts';
import {
  addExamples,
  type Classifier,
  deleteClass,
  deleteClassifier,
  deleteExample,
  type Example,
  listExamples,
  type Report,
  readClassifier,
  readVersionReport,
  renameClassifier,
  serveVersion,
  trainClassifier,
} from '../service/classifiers.ts';
import { ServiceProblem } from '../service/service-problem.ts';
import { forget, remember } from './known-classifiers.ts';
import { shrinkPhoto } from './shrink-photo.ts';
import { createThumbnail, deleteThumbnails, keepThumbnail } from './thumbnails.ts';
import { toUploadGroups } from './upload-groups.ts';

export interface UploadProgress {
  readonly done: number;
  readonly total: number;
  readonly hold?: Hold;
}

/** A file that the service did not take, and why. */
export interface Refusal {
  readonly name: string;
  readonly problem: ServiceProblem;
}

const pollEveryMs = 700;

/** One classifier in the making: what the service has of it, and what a person does to it. */
export class Lesson {
  readonly #onChange: () => void;
  readonly #onTrouble: (cause: unknown) => void;
  #classifier: Classifier;
  #examples: readonly Example[] = [];
  #report: Report | undefined;
  #reportOf: number | undefined;
  #uploads = 0;
  #isWatching = false;
  #isClosed = false;
  /** Classes that have a name and no photo yet: the service learns of them with their first photo. */
  readonly #drafts = new Set<string>();

  private constructor(classifier: Classifier, onChange: () => void, onTrouble: (cause: unknown) => void) {
    this.#classifier = classifier;
    this.#onChange = onChange;
    this.#onTrouble = onTrouble;
  }

  /**
   * @param onChange told whenever something is to be shown anew.
   * @param onTrouble told what went wrong in the background, while a version is watched.
   * @throws {ServiceProblem}
   */
  static async open(id: string, onChange: () => void, onTrouble: (cause: unknown) => void): Promise<Lesson> {
    const lesson = new Lesson(await readClassifier(id), onChange, onTrouble);
    lesson.#examples = await listExamples(id);
    remember(lesson.#classifier);
    void lesson.#watch();
    return lesson;
  }

  get classifier(): Classifier {
    return this.#classifier;
  }

  get isTraining(): boolean {
    return this.#classifier.versions.some(({ state }) => state === 'training');
  }

  /** Of the newest version that is ready. */
  get report(): Report | undefined {
    return this.#report;
  }

  get classes(): readonly string[] {
    const names = this.#classifier.classes.map(({ name }) => name);
    return [...names, ...[...this.#drafts].filter((draft) => !names.includes(draft))];
  }

  examplesOf(className: string): readonly Example[] {
    return this.#examples.filter((example) => example.class === className);
  }

  findExample(id: string): Example | undefined {
    return this.#examples.find((example) => example.id === id);
  }

  /** Nobody looks at this lesson any more. */
  close(): void {
    this.#isClosed = true;
  }

  addClass(name: string): void {
    this.#drafts.add(name);
    this.#onChange();
  }

  /**
   * Sends photos, large ones as smaller copies, and lets the service learn anew.
   *
   * @returns the files that were refused.
   * @throws {ServiceProblem} if a request failed; what was sent before stays.
   */
  async addPhotos(
    className: string,
    files: readonly File[],
    onProgress: (progress: UploadProgress) => void,
  ): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    let done = 0;
    this.#uploads++;
    onProgress({ done, total: files.length });
    try {
      const photos: File[] = [];
      for (const file of files) photos.push(await shrinkPhoto(file)); // one by one: each is a large bitmap
      for (const group of toUploadGroups(photos)) {
        const onHold = (hold: Hold) => onProgress({ done, total: files.length, hold });
        const { results, classifier } = await addExamples(this.#classifier.id, className, group, { onHold });
        for (const result of results) {
          const file = group[result.index];
          if (!file) continue;
          if ('problem' in result) {
            const { code, detail } = result.problem;
            refusals.push({ name: file.name, problem: new ServiceProblem(422, code, { detail }) });
          } else {
            await this.#keep({ ...result, name: file.name }, file);
          }
        }
        this.#classifier = classifier;
        done += group.length;
        onProgress({ done, total: files.length });
        this.#onChange();
      }
    } finally {
      this.#uploads--;
      // Photos of two classes that are sent at once are one lesson.
      if (this.#uploads === 0) await this.train();
    }
    return refusals;
  }

  async removeExample(id: string): Promise<void> {
    await deleteExample(this.#classifier.id, id);
    this.#examples = this.#examples.filter((example) => example.id !== id);
    void deleteThumbnails([id]);
    await this.#refresh();
    await this.train();
  }

  async removeClass(name: string): Promise<void> {
    this.#drafts.delete(name);
    if (this.#classifier.classes.some((known) => known.name === name)) {
      await deleteClass(this.#classifier.id, name);
      void deleteThumbnails(this.examplesOf(name).map(({ id }) => id));
      this.#examples = this.#examples.filter((example) => example.class !== name);
      await this.#refresh();
      await this.train();
    }
    this.#onChange();
  }

  /** Whether the newest version could not be learned. */
  get hasFailed(): boolean {
    return this.#classifier.versions[0]?.state === 'failed';
  }

  /** Learns, if there are two classes with a photo and the newest version does not know all of them. */
  async train(): Promise<void> {
    const filled = this.#classifier.classes.filter(({ examples }) => examples > 0);
    if (filled.length < 2 || !(this.#classifier.stale || this.hasFailed)) return;
    await trainClassifier(this.#classifier.id);
    await this.#refresh();
    void this.#watch();
  }

  async rename(name: string): Promise<void> {
    this.#classifier = await renameClassifier(this.#classifier.id, name);
    remember(this.#classifier);
    this.#onChange();
  }

  async serve(version: number): Promise<void> {
    this.#classifier = await serveVersion(this.#classifier.id, version);
    this.#onChange();
  }

  /** Deletes everything: here, and at the service. */
  async delete(): Promise<void> {
    this.close();
    await deleteClassifier(this.#classifier.id);
    forget(this.#classifier.id);
    await deleteThumbnails(this.#examples.map(({ id }) => id));
  }

  async #keep({ id, class: className, name }: Example, file: File): Promise<void> {
    // The thumbnail is stored first, because showing the example reads it.
    const thumbnail = await createThumbnail(file);
    if (thumbnail) await keepThumbnail(id, thumbnail);
    this.#examples = [...this.#examples.filter((known) => known.id !== id), { id, class: className, name }];
  }

  async #refresh(): Promise<void> {
    this.#classifier = await readClassifier(this.#classifier.id);
    this.#onChange();
  }

  /** Looks at the service until no version is in training, and then reads the report of the newest. */
  async #watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    try {
      do {
        while (this.isTraining && !this.#isClosed) {
          await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
          if (!this.#isClosed) await this.#refresh();
        }
        await this.#readReport();
      } while (this.isTraining && !this.#isClosed); // the next lesson may have begun meanwhile
    } catch (cause) {
      this.#onTrouble(cause);
    } finally {
      this.#isWatching = false;
    }
  }

  async #readReport(): Promise<void> {
    const { id, versions } = this.#classifier;
    const newest = versions.find(({ state }) => state === 'ready');
    if (!newest || newest.version === this.#reportOf || this.#isClosed) return;
    this.#report = await readVersionReport(id, newest.version);
    this.#reportOf = newest.version;
    this.#onChange();
  }
}
