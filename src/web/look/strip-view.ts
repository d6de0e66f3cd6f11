import { element, find } from '../dom/element.ts';
import { formatCount, formatShare } from '../dom/format.ts';
import { createPreview } from '../dom/preview.ts';
import type { Picture } from './gallery.ts';
import { type Sample, samples } from './samples.ts';

interface StripOptions {
  readonly onPicture: (picture: Picture) => void;
  readonly onSample: (sample: Sample) => void;
}

interface Item {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly caption: HTMLElement;
}

/** The row under the large picture: the person's pictures with their answers, then the samples. */
export class StripView {
  readonly #options: StripOptions;
  readonly #list = find('#strip', HTMLElement);
  readonly #progress = find('#progress', HTMLProgressElement);
  readonly #progressText = find('#progress-text', HTMLElement);
  readonly #items = new Map<number, Item>();
  readonly #samples = new Map<Sample, HTMLElement>();

  constructor(options: StripOptions) {
    this.#options = options;
    this.#list.append(...samples.map((sample) => this.#createSample(sample)));
  }

  /** Shows what has become of each picture. Items that are there already stay where they are, and keep the focus. */
  show(pictures: readonly Picture[]): void {
    let next: Element | null = this.#list.querySelector('.sample');
    for (const picture of pictures.toReversed()) {
      const { item, button, caption } = this.#items.get(picture.id) ?? this.#create(picture);
      if (!item.isConnected) this.#list.insertBefore(item, next);
      next = item;
      const words = toCaption(picture);
      if (button.dataset['state'] === picture.state.kind && caption.textContent === words) continue;
      button.dataset['state'] = picture.state.kind;
      caption.textContent = words;
      button.setAttribute('aria-label', `${picture.name}: ${words}`);
    }
    this.#showProgress(pictures);
  }

  choose(chosen: Picture): void {
    for (const [id, { button }] of this.#items) {
      if (id === chosen.id) {
        button.setAttribute('aria-current', 'true');
        this.#reveal(button);
      } else button.removeAttribute('aria-current');
    }
  }

  #showProgress(pictures: readonly Picture[]): void {
    const done = pictures.filter(({ state }) => state.kind === 'done' || state.kind === 'failed').length;
    const isUnderWay = pictures.length > 1 && done < pictures.length;
    this.#progress.classList.toggle('shown', isUnderWay);
    this.#progress.max = Math.max(1, pictures.length);
    this.#progress.value = done;
    const failed = pictures.filter(({ state }) => state.kind === 'failed').length;
    this.#progressText.textContent =
      pictures.length === 0
        ? 'Or one of ours'
        : pictures.length === 1
          ? 'Another one?'
          : `${done - failed} of ${formatCount(pictures.length, 'picture')} answered`;
  }

  #create(picture: Picture): Item {
    const caption = element('span', { class: 'strip-caption' });
    const preview = createPreview(picture.source, picture.name);
    preview.ariaHidden = 'true'; // the button's own name says it all
    const button = element(
      'button',
      {
        class: 'strip-item',
        attributes: { type: 'button' },
        onClick: () => this.#options.onPicture(picture),
      },
      preview,
      caption,
    );
    const created = { item: element('li', {}, button), button, caption };
    this.#items.set(picture.id, created);
    return created;
  }

  #createSample(sample: Sample): HTMLLIElement {
    const image = element('img', {
      attributes: { src: `/assets/${sample.file}`, alt: '', width: '96', height: '64' },
    });
    const item = element(
      'li',
      { class: 'sample' },
      element(
        'button',
        {
          class: 'strip-item',
          attributes: { type: 'button', 'aria-label': `Sample photo: ${sample.label}` },
          onClick: () => this.#options.onSample(sample),
        },
        element('div', { class: 'preview' }, image),
        element('span', { class: 'strip-caption', text: sample.label }),
      ),
    );
    this.#samples.set(sample, item);
    return item;
  }

  /** A sample that was taken stands among the person's pictures now. */
  takeSample(sample: Sample, picture: Picture): void {
    const item = this.#samples.get(sample);
    const hadFocus = item?.contains(document.activeElement) === true;
    if (item) item.hidden = true;
    if (hadFocus) this.#items.get(picture.id)?.button.focus();
  }

  #reveal(button: HTMLElement): void {
    const { offsetLeft, offsetWidth } = button;
    const { scrollLeft, clientWidth } = this.#list;
    if (offsetLeft < scrollLeft || offsetLeft + offsetWidth > scrollLeft + clientWidth) {
      this.#list.scrollLeft = offsetLeft - clientWidth / 2 + offsetWidth / 2;
    }
  }
}

function toCaption({ state }: Picture): string {
  if (state.kind === 'waiting') return 'Waiting';
  if (state.kind === 'working') return 'Looking…';
  if (state.kind === 'held') return state.hold.reason === 'offline' ? 'Offline' : `${state.hold.seconds} s`;
  if (state.kind === 'failed') return 'No answer';
  const [best] = state.answer.predictions;
  if (state.answer.unknown) return 'None of these';
  return best ? `${best.label} ${formatShare(best.score)}` : 'None of these';
}
