import { CodedError } from '../../errors.ts';
import { maxItemAttempts } from '../../limits.ts';
import { toProblem } from '../../problem.ts';
import { type AddServices, addExample } from './add-example.ts';
import type { ClassifierImport, ImportReference, TaughtClassifier } from './classifier.ts';
import type { ClassifierStore } from './classifier-store.ts';
import { toExampleName } from './example-name.ts';
import type { ImportStore } from './import-store.ts';

export interface ImportServices extends AddServices {
  readonly store: ClassifierStore;
  readonly imports: ImportStore;
  /** Makes a class if it does not exist. @throws {CodedError} `classifier_quota_exceeded`. */
  readonly addClass: (classifier: string, label: string) => Promise<void>;
  /** @throws {CodedError} `url_*`, `image_not_found`. */
  readonly fetchImage: (reference: ImportReference) => Promise<Uint8Array>;
  /** The views of a photo, see `readLearningViews`. */
  readonly readViews: (bytes: Uint8Array, base: TaughtClassifier['base']) => Promise<readonly Float32Array[]>;
}

/**
 * Fetches photos and stores their features. The outcome of an import is stored before the next one begins.
 *
 * @returns false if some imports must be tried again later.
 */
export async function runImports(
  id: string,
  importIds: readonly string[],
  services: ImportServices,
): Promise<boolean> {
  const classifier = await services.store.find(id);
  if (!classifier) {
    for (const importId of importIds) await services.imports.delete(importId);
    return true;
  }
  let isDone = true;
  for (const row of await services.imports.findWaiting(importIds)) {
    if (!(await runImport(classifier, row, services))) isDone = false;
  }
  return isDone;
}

async function runImport(
  { id: classifier, base }: TaughtClassifier,
  { id, class: label, reference, attempts }: ClassifierImport,
  services: ImportServices,
): Promise<boolean> {
  const { imports, fetchImage, readViews } = services;
  const name = 'url' in reference ? reference.url : reference.r2_key;
  try {
    // Counted before the work, so that an import that kills this isolate is not tried for ever.
    await imports.noteAttempt(id);
    const bytes = await fetchImage(reference);
    const example = { bytes, class: label, name: toName(name) };
    const addClass = () => services.addClass(classifier, label);
    await addExample(classifier, example, () => readViews(bytes, base), addClass, services);
    await imports.delete(id);
    return true;
  } catch (error) {
    const mayPass = !(error instanceof CodedError) || error.retryAfterSeconds !== undefined;
    if (mayPass && attempts + 1 < maxItemAttempts) return false;
    const { code, detail } = toProblem(error);
    await imports.fail(id, { code, detail });
    return true;
  }
}

/** The last part of a path, without a query. */
function toName(path: string): string {
  const [plain = path] = path.split(/[?#]/, 1);
  return toExampleName(plain.split('/').filter(Boolean).at(-1) ?? plain);
}
