import { button, find } from './dom/element.ts';
import { createProblem } from './dom/problem-view.ts';
import type { ServiceProblem } from './service/service-problem.ts';

/** A line over both tabs for what concerns the whole page. */
export function showNotice(problem: ServiceProblem | undefined, retry?: () => void): void {
  const notice = find('#notice', HTMLElement);
  notice.hidden = problem === undefined;
  notice.replaceChildren(
    ...(problem ? [createProblem(problem, ...(retry ? [button('Try again', retry)] : []))] : []),
  );
}
