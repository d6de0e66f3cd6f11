import { find } from './element.ts';

/** Says something to people who listen to the page. The same words twice are said twice. */
export function announce(message: string): void {
  const region = find('#announcer', HTMLElement);
  region.textContent = region.textContent === message ? `${message}\u00a0` : message;
}
