import { find } from '../dom/element.ts';
import { createPreview } from '../dom/preview.ts';
import { holdText, holdTitle } from '../dom/problem-view.ts';
import type { ModelCard } from '../service/models.ts';
import type { Picture } from './gallery.ts';

/** The large picture, and the frame around what the model sees of it. */
export class StageView {
  readonly #stage = find('#stage', HTMLElement);
  readonly #figure = find('#figure', HTMLElement);
  readonly #slot = find('#picture', HTMLElement);
  readonly #hold = find('#hold', HTMLElement);
  #shown: Picture | undefined;

  show(picture: Picture): void {
    if (this.#shown !== picture) {
      this.#shown = picture;
      this.#figure.classList.remove('tall', 'sized');
      this.#figure.style.removeProperty('--ratio');
      this.#slot.replaceChildren(createPreview(picture.source, picture.name, (w, h) => this.#resize(w, h)));
      this.#stage.dataset['has'] = 'picture';
    }
    const { state } = picture;
    this.#stage.dataset['state'] = state.kind;
    this.#hold.hidden = state.kind !== 'held';
    if (state.kind === 'held') {
      find('#hold-title', HTMLElement, this.#hold).textContent = holdTitle(state.hold);
      find('#hold-text', HTMLElement, this.#hold).textContent = holdText(state.hold);
    }
  }

  /** The frame is the model's centre crop: a part of the picture's shorter side. */
  showCrop({ preprocess }: ModelCard): void {
    const part = Math.min(1, preprocess.center_crop / preprocess.resize_shortest_edge);
    this.#figure.style.setProperty('--model-crop', String(part));
  }

  #resize(width: number, height: number): void {
    this.#figure.style.setProperty('--ratio', String(width / height));
    this.#figure.classList.toggle('tall', height > width);
    this.#figure.classList.add('sized');
  }
}
