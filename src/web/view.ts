import type { Answer, Timing } from './api.ts';

/** A card for one picture, empty until its answer comes. */
export function createCard(file: File | Blob, name: string): HTMLElement {
  const card = create('article', 'result');
  const picture = create('img');
  picture.src = URL.createObjectURL(file);
  picture.alt = `Your picture: ${name}`;
  // Formats the browser cannot show are classified all the same.
  picture.addEventListener('error', () =>
    picture.replaceWith(text('p', 'No preview in this browser.', 'muted')),
  );
  picture.addEventListener('load', () => URL.revokeObjectURL(picture.src));
  const body = create('div');
  body.append(text('h2', name), text('p', 'Waiting…', 'muted'));
  card.append(picture, body);
  return card;
}

export function showAnswer(card: HTMLElement, name: string, answer: Answer): void {
  const [best] = answer.predictions;
  const rows = answer.predictions.map(({ label, score }) => ({
    name: label,
    share: score,
    figure: `${(score * 100).toFixed(1)} %`,
  }));
  fill(
    card,
    text('h2', best ? best.label : 'Nothing'),
    text('p', `${name} · ${answer.model}`, 'muted'),
    createBars('Scores', rows),
    ...(answer.timings.length > 0 ? [createWaterfall(answer.timings)] : []),
  );
}

export function showProblem(card: HTMLElement, name: string, message: string): void {
  fill(card, text('h2', name), text('p', message, 'problem'));
}

function fill(card: HTMLElement, ...content: HTMLElement[]): void {
  card.lastElementChild?.replaceChildren(...content);
}

/** Each stage begins where the one before it ended. */
function createWaterfall(timings: readonly Timing[]): HTMLElement {
  const total = timings.reduce((sum, { milliseconds }) => sum + milliseconds, 0) || 1;
  let start = 0;
  const rows = timings.map(({ name, milliseconds }) => {
    const row = { name, start: start / total, share: milliseconds / total, figure: `${milliseconds} ms` };
    start += milliseconds;
    return row;
  });
  return createBars(`Time on the server: ${total.toFixed(0)} ms`, rows);
}

interface Bar {
  readonly name: string;
  readonly figure: string;
  /** Of the whole track, 0 to 1. */
  readonly share: number;
  readonly start?: number;
}

function createBars(caption: string, bars: readonly Bar[]): HTMLElement {
  const table = create('table');
  table.append(text('caption', caption, 'muted'));
  for (const { name, figure, share, start = 0 } of bars) {
    const head = text('th', name);
    head.scope = 'row';
    const bar = create('td', 'bar');
    bar.setAttribute('aria-hidden', 'true');
    const track = create('span', 'track');
    const filled = create('span', 'fill');
    filled.style.marginInlineStart = `${start * 100}%`;
    filled.style.width = `${share * 100}%`;
    track.append(filled);
    bar.append(track);
    const row = create('tr');
    row.append(head, bar, text('td', figure, 'figure'));
    table.append(row);
  }
  return table;
}

function create<K extends keyof HTMLElementTagNameMap>(tag: K, className = ''): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

function text<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  content: string,
  className = '',
): HTMLElementTagNameMap[K] {
  const element = create(tag, className);
  element.textContent = content;
  return element;
}
