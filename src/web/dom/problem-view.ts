import type { Hold } from '../service/call-service.ts';
import { isWorthAnotherTry, type ServiceProblem } from '../service/service-problem.ts';
import { button, element } from './element.ts';

/** A problem in words, what to do about it, and a button that tries again where that can help. */
export function createProblem(problem: ServiceProblem, retry?: () => void): HTMLElement {
  const actions = retry && isWorthAnotherTry(problem) ? [button('Try again', retry)] : [];
  return element(
    'div',
    { class: 'problem', attributes: { role: 'alert' } },
    element('p', { class: 'problem-what', text: problem.message }),
    ...(problem.advice ? [element('p', { text: problem.advice })] : []),
    ...(actions.length > 0 ? [element('p', { class: 'actions' }, ...actions)] : []),
  );
}

export const holdTitle = (hold: Hold): string =>
  hold.reason === 'offline' ? 'You are offline.' : 'The service is busy.';

export const holdText = (hold: Hold): string =>
  hold.reason === 'offline'
    ? 'Your pictures wait here. They are sent when the network is back.'
    : `It is asked again in ${hold.seconds} s.`;
