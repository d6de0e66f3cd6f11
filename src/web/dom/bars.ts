import { element } from './element.ts';

export interface Bar {
  readonly name: string;
  readonly figure: string;
  /** Of the whole track, 0 to 1. */
  readonly share: number;
  /** Where on the track it begins, 0 to 1. */
  readonly start?: number;
}

/** A table of names, bars and figures. Screen readers get the names and the figures. */
export function createBars(caption: string, bars: readonly Bar[], className = ''): HTMLTableElement {
  const body = element('tbody');
  for (const { name, figure, share, start = 0 } of bars) {
    const fill = element('span', { class: 'fill' });
    fill.style.setProperty('--start', String(start));
    fill.style.setProperty('--share', String(share));
    body.append(
      element(
        'tr',
        {},
        element('th', { text: name, attributes: { scope: 'row' } }),
        element(
          'td',
          { class: 'bar', attributes: { 'aria-hidden': 'true' } },
          element('span', { class: 'track' }, fill),
        ),
        element('td', { class: 'amount', text: figure }),
      ),
    );
  }
  return element('table', { class: `bars ${className}` }, element('caption', { text: caption }), body);
}
