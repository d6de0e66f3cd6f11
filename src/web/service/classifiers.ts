import { type CallOptions, callService, readAnswer } from './call-service.ts';
import { either, flag, list, number, optional, type Read, record, text } from './readers.ts';

const readAccuracy = record({ estimate: number, low: number, high: number });
const readVersionFields = {
  version: number,
  state: text,
  examples: optional(number),
  accuracy: optional(readAccuracy),
  error: optional(record({ code: text, detail: text })),
};
const readClassifierBody = record({
  id: text,
  name: text,
  model: text,
  base: record({ name: text, version: text }),
  classes: list(record({ name: text, examples: number })),
  examples: number,
  version: optional(number),
  stale: flag,
  versions: list(record(readVersionFields)),
});
export type Classifier = Read<typeof readClassifierBody>;
export type ClassifierVersion = Classifier['versions'][number];

const readReport = record({
  helps_most: optional(text),
  per_class: list(record({ label: text, photos: number, scenes: number, recall: optional(number) })),
  confusions: list(record({ label: text, taken_for: text, photos: number })),
  doubtful: list(record({ id: text, name: text, label: text, looks_like: text, score: number })),
});
export type Report = Read<typeof readReport>;

const readExample = record({ id: text, class: text, name: text });
export type Example = Read<typeof readExample>;

const readAdded = record({
  results: list(
    either(
      record({ index: number, id: text, class: text, duplicate: flag }),
      record({ index: number, problem: record({ code: text, detail: text }) }),
    ),
  ),
  classifier: readClassifierBody,
});
export type AddedExamples = Read<typeof readAdded>;

const root = '/v1/classifiers';
const toPath = (id: string, ...rest: readonly string[]) => [root, id, ...rest].map(encodePart).join('/');
const encodePart = (part: string) => (part === root ? root : encodeURIComponent(part));

/** @throws {ServiceProblem}, as all of these. */
export async function createClassifier(name: string, classes: readonly string[]): Promise<Classifier> {
  return await readAnswer(await callService(root, toJsonCall('POST', { name, classes })), readClassifierBody);
}

/** The classifiers of this key; none without one, because a visitor without a key has nothing but ids. */
export async function listClassifiers(): Promise<readonly Pick<Classifier, 'id' | 'name'>[]> {
  const page = record({ classifiers: list(record({ id: text, name: text })) });
  return (await readAnswer(await callService(`${root}?limit=100`), page)).classifiers;
}

export async function readClassifier(id: string): Promise<Classifier> {
  return await readAnswer(await callService(toPath(id)), readClassifierBody);
}

export async function renameClassifier(id: string, name: string): Promise<Classifier> {
  return await readAnswer(await callService(toPath(id), toJsonCall('PATCH', { name })), readClassifierBody);
}

export async function deleteClassifier(id: string): Promise<void> {
  await callService(toPath(id), { method: 'DELETE' });
}

/** @param files at most sixteen. */
export async function addExamples(
  id: string,
  className: string,
  files: readonly File[],
  options: Pick<CallOptions, 'onHold'>,
): Promise<AddedExamples> {
  const body = new FormData();
  body.append('class', className);
  for (const file of files) body.append('image', file, file.name);
  return await readAnswer(
    await callService(toPath(id, 'examples'), { ...options, method: 'POST', body }),
    readAdded,
  );
}

export async function listExamples(id: string): Promise<readonly Example[]> {
  const page = record({ examples: list(readExample), next_after: optional(text) });
  const examples: Example[] = [];
  let after: string | undefined;
  do {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const answer = await readAnswer(await callService(`${toPath(id, 'examples')}?limit=100${query}`), page);
    examples.push(...answer.examples);
    after = answer.next_after;
  } while (after !== undefined);
  return examples;
}

export async function deleteExample(id: string, example: string): Promise<void> {
  await callService(toPath(id, 'examples', example), { method: 'DELETE' });
}

export async function deleteClass(id: string, className: string): Promise<void> {
  await callService(toPath(id, 'classes', className), { method: 'DELETE' });
}

export async function trainClassifier(id: string): Promise<void> {
  await callService(toPath(id, 'train'), { method: 'POST' });
}

/** @returns undefined where the version has no report. */
export async function readVersionReport(id: string, version: number): Promise<Report | undefined> {
  const body = record({ report: optional(readReport) });
  return (await readAnswer(await callService(toPath(id, 'versions', String(version))), body)).report;
}

export async function serveVersion(id: string, version: number): Promise<Classifier> {
  return await readAnswer(
    await callService(toPath(id, 'serve'), toJsonCall('POST', { version })),
    readClassifierBody,
  );
}

const toJsonCall = (method: string, body: object) => ({
  method,
  body: JSON.stringify(body),
  contentType: 'application/json',
});
