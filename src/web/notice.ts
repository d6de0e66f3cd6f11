import { element, find } from './dom/element.ts';
import { createProblem, holdText, holdTitle } from './dom/problem-view.ts';
import type { Hold } from './service/call-service.ts';
import type { ServiceProblem } from './service/service-problem.ts';

/** A line over both tabs for what concerns the whole page. */
export function showNotice(problem: ServiceProblem, retry: () => void): void {
  fill(createProblem(problem, retry));
}

export function showHold(hold: Hold): void {
  fill(element('p', { class: 'problem', text: `${holdTitle(hold)} ${holdText(hold)}` }));
}

export function hideNotice(): void {
  find('#notice', HTMLElement).hidden = true;
}

/** A line at the window's lower edge while the network is gone. It lies over the page, so that nothing moves. */
export function tellWhenOffline(): void {
  const line = find('#offline', HTMLElement);
  const update = () => {
    line.textContent = navigator.onLine
      ? ''
      : 'You are offline. What you add now is sent when the network is back.';
  };
  for (const type of ['online', 'offline']) addEventListener(type, update);
  update();
}

function fill(content: HTMLElement): void {
  const notice = find('#notice', HTMLElement);
  notice.hidden = false;
  notice.replaceChildren(content);
}
