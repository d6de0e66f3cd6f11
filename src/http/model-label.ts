import { isClassifierId } from '../jobs/classifiers/classifier.ts';

/**
 * A model's name as metrics have it. Classifiers are without number, and the id of one gives access to it: they share a
 * name.
 */
export function toModelLabel(name: string): string {
  return isClassifierId(name) ? 'classifier' : name;
}
