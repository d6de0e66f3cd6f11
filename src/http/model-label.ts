import { isClassifierId } from '../jobs/classifiers/classifier.ts';

/**
 * A model's name in metrics. All classifiers share one name, because there is no limit to their number, and because an
 * id gives access to its classifier.
 */
export function toModelLabel(name: string): string {
  return isClassifierId(name) ? 'classifier' : name;
}
