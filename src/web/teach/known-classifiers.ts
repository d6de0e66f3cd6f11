import { list, type Read, record, text } from '../service/readers.ts';

const storageKey = 'resnet-edge.classifiers';
const readList = list(record({ id: text, name: text }));
export type KnownClassifier = Read<typeof readList>[number];

/**
 * Ids of the classifiers that were made in this browser, the current one first. Without keys an id is all that opens a
 * classifier, so it stays here.
 */
export function readKnown(): readonly KnownClassifier[] {
  try {
    return readList(JSON.parse(localStorage.getItem(storageKey) ?? '[]'));
  } catch {
    return [];
  }
}

/** Puts a classifier first, with the name that it has now. */
export function remember({ id, name }: KnownClassifier): void {
  write([{ id, name }, ...readKnown().filter((known) => known.id !== id)]);
}

export function forget(id: string): void {
  write(readKnown().filter((known) => known.id !== id));
}

function write(known: readonly KnownClassifier[]): void {
  localStorage.setItem(storageKey, JSON.stringify(known));
}
