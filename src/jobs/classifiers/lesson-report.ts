import type { LessonReport } from '../../learn/report.ts';
import type { ClassifierExample } from './classifier.ts';

/** A photo of the report, by its id and the name that a person knows. */
export interface NamedExample {
  readonly id: string;
  readonly name: string;
}

/** The report of a lesson, with the names of its photos. */
export interface TaughtReport extends Omit<LessonReport, 'doubtful' | 'copies'> {
  readonly doubtful: readonly (Omit<LessonReport['doubtful'][number], 'name'> & NamedExample)[];
  readonly copies: readonly (readonly [NamedExample, NamedExample])[];
}

/** @param report of a lesson in which each photo's name is its id. */
export function nameExamples(report: LessonReport, examples: readonly ClassifierExample[]): TaughtReport {
  const names = new Map(examples.map(({ id, name }) => [id, name]));
  const toNamed = (id: string): NamedExample => ({ id, name: names.get(id) ?? id });
  return {
    ...report,
    doubtful: report.doubtful.map(({ name: id, ...row }) => ({ ...row, ...toNamed(id) })),
    copies: report.copies.map(([a, b]) => [toNamed(a), toNamed(b)] as const),
  };
}
