import { type Bar, createBars } from '../dom/bars.ts';
import { button, element, find } from '../dom/element.ts';
import { formatMs, formatShare } from '../dom/format.ts';
import { createProblem, holdText, holdTitle } from '../dom/problem-view.ts';
import type { Answer } from '../service/classify.ts';
import type { Picture } from './gallery.ts';

/** How many labels there is room for. The skeleton of a pending answer has as many. */
const rows = 5;

/** What the service says of one picture: the answer first and large, its scores, and where the time went. */
export class AnswerView {
  readonly #panel = find('#answer', HTMLElement);
  readonly #title = find('#answer-title', HTMLElement);
  readonly #facts = find('#answer-facts', HTMLElement);
  readonly #body = find('#answer-body', HTMLElement);
  readonly #askAgain: (picture: Picture) => void;

  constructor(askAgain: (picture: Picture) => void) {
    this.#askAgain = askAgain;
  }

  show(picture: Picture): void {
    const { state } = picture;
    this.#panel.dataset['state'] = state.kind;
    document.body.dataset['asked'] = '';
    if (state.kind === 'done') {
      this.#showAnswer(picture, state.answer);
    } else if (state.kind === 'failed') {
      this.#fill(
        'No answer',
        picture.name,
        createProblem(state.problem, () => this.#again(picture)),
      );
    } else {
      const title = state.kind === 'held' ? holdTitle(state.hold) : 'Looking…';
      const facts = state.kind === 'held' ? holdText(state.hold) : picture.name;
      this.#fill(title, facts, createSkeleton());
    }
  }

  #showAnswer(picture: Picture, answer: Answer): void {
    const [best] = answer.predictions;
    const { format, width, height } = answer.image;
    const remembered = answer.isRemembered
      ? [
          element(
            'p',
            { class: 'remembered' },
            'The service remembered this answer and computed nothing. ',
            button('Compute it again', () => this.#again(picture), 'link'),
          ),
        ]
      : [];
    this.#fill(
      answer.unknown ? 'None of these' : (best?.label ?? 'None of these'),
      `${best ? `${formatShare(best.score)} sure · ` : ''}${picture.name} · ${format.toUpperCase()}, ${width} × ${height}`,
      ...(answer.unknown && best
        ? [element('p', { text: `It looks like nothing that the model knows. Nearest is ${best.label}.` })]
        : []),
      createBars(
        'Scores',
        answer.predictions
          .slice(0, rows)
          .map(({ label, score }) => ({ name: label, share: score, figure: formatShare(score) })),
        'scores',
      ),
      ...remembered,
      createWaterfall(answer),
    );
  }

  #again(picture: Picture): void {
    this.#askAgain(picture);
    this.#title.focus(); // the button is gone
  }

  #fill(title: string, facts: string, ...body: readonly HTMLElement[]): void {
    this.#title.textContent = title;
    this.#title.dataset['length'] = title.length <= 9 ? 'short' : title.length <= 13 ? 'middle' : 'long';
    this.#facts.textContent = facts;
    this.#body.replaceChildren(...body);
  }
}

/** The same geometry as an answer, so that nothing moves when it comes. */
function createSkeleton(): HTMLElement {
  const bars = Array.from({ length: rows }, () => ({ name: '\u00a0', figure: '', share: 0 }));
  const table = createBars('Scores', bars, 'scores skeleton');
  table.setAttribute('aria-hidden', 'true');
  return table;
}

/** Each stage begins where the one before it ended. What the server does not account for is the way there and back. */
function createWaterfall({ stages, roundTripMs }: Answer): HTMLElement {
  const server = stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const total = Math.max(server, roundTripMs, 1);
  let start = 0;
  const bars = [...stages, { name: 'network, queue', milliseconds: total - server }].map(
    ({ name, milliseconds }): Bar => {
      const bar = { name, start: start / total, share: milliseconds / total, figure: formatMs(milliseconds) };
      start += milliseconds;
      return bar;
    },
  );
  const caption =
    server > 0 ? `${formatMs(server)} on the server, ${formatMs(total)} in all` : `${formatMs(total)} in all`;
  return createBars(caption, bars, 'waterfall');
}
