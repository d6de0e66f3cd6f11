import { button, element, find } from '../dom/element.ts';
import { formatShare } from '../dom/format.ts';
import type { Lesson } from './lesson.ts';
import { createPhoto } from './photo.ts';

const shownPhotos = 6;

/** Photos that look like another class: most often they are in the wrong one. */
export class DoubtfulView {
  readonly #section = find('#doubtful', HTMLElement);
  readonly #list = find('#doubtful-list', HTMLElement);
  readonly #onRemove: (id: string) => void;
  #shown = '';

  constructor(onRemove: (id: string) => void) {
    this.#onRemove = onRemove;
  }

  show(lesson: Lesson): void {
    const doubtful = (lesson.report?.doubtful ?? []).flatMap((doubt) => {
      const example = lesson.findExample(doubt.id);
      return example && example.class === doubt.label ? [{ ...doubt, example }] : [];
    });
    this.#section.hidden = doubtful.length === 0;
    const key = doubtful.map(({ id, looks_like }) => `${id} ${looks_like}`).join();
    if (key === this.#shown) return; // a button that has the focus stays
    this.#shown = key;
    this.#list.replaceChildren(
      ...doubtful.slice(0, shownPhotos).map(({ example, label, looks_like, score }) => {
        const remove = button('Remove', () => this.#onRemove(example.id), 'link');
        remove.setAttribute('aria-label', `Remove ${example.name} from ${label}`);
        return element(
          'li',
          {},
          createPhoto(example),
          element(
            'span',
            {},
            `In ${label}, looks like `,
            element('strong', { text: looks_like }),
            ` (${formatShare(score)}). `,
            remove,
          ),
        );
      }),
    );
  }
}
