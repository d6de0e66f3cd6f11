import type { ServiceProblem } from '../service/service-problem.ts';

export function createTeach(_options: { readonly onRefused: (problem: ServiceProblem) => void }) {
  return { open: () => {} };
}
