import type {
  ClassifierExample,
  ClassifierImport,
  ClassifierOverview,
  ClassifierVersion,
} from './classifier.ts';

const toTime = (milliseconds: number) => new Date(milliseconds).toISOString();

/** A classifier as it stands on the wire. */
export function toClassifierJson({ classifier, classes, versions, imports }: ClassifierOverview) {
  // A failed version has learned nothing.
  const newest = versions.find(({ state }) => state !== 'failed');
  return {
    id: classifier.id,
    object: 'classifier' as const,
    name: classifier.name,
    model: classifier.id,
    base: classifier.base,
    classes,
    examples: classes.reduce((sum, { examples }) => sum + examples, 0),
    imports,
    version: classifier.version ?? null,
    // Whether examples have changed since the newest version.
    stale: newest?.revision !== classifier.revision,
    versions: versions.map(toVersionJson),
    created_at: toTime(classifier.createdAt),
    updated_at: toTime(classifier.updatedAt),
  };
}

export function toVersionJson(row: ClassifierVersion) {
  return {
    version: row.version,
    state: row.state,
    classes: row.classes ?? null,
    examples: row.examples ?? null,
    accuracy: row.accuracy ?? null,
    error: row.error ?? null,
    created_at: toTime(row.createdAt),
  };
}

export function toExampleJson({ id, class: label, name, createdAt }: ClassifierExample) {
  return { id, class: label, name, created_at: toTime(createdAt) };
}

export function toImportJson({ id, class: label, reference, error }: ClassifierImport) {
  return { id, class: label, ...reference, error: error ?? null };
}
