import { confirmDialog } from '../dom/confirm-dialog.ts';
import { createCopyButton } from '../dom/copy-button.ts';
import { button, element, find } from '../dom/element.ts';
import { formatCount, formatEstimate } from '../dom/format.ts';
import { toCurl } from '../look/snippets.ts';
import type { ClassifierVersion } from '../service/classifiers.ts';
import { readCredential } from '../service/credential.ts';
import type { Lesson } from './lesson.ts';

/** Each drop of photos makes a version; the older ones are shown on demand. */
const newestVersions = 5;

interface PublishOptions {
  /** Runs what a button does, and shows what went wrong. */
  readonly act: (work: () => Promise<void>) => void;
  readonly onDeleted: () => void;
}

/** How others use the model, which version answers, its name, and how to delete it. */
export class PublishView {
  readonly #options: PublishOptions;
  readonly #section = find('#publish', HTMLElement);
  readonly #code = find('#publish-code', HTMLElement);
  readonly #versions = find('#versions', HTMLElement);
  readonly #name = find('#rename', HTMLInputElement);
  readonly #stored = find('#stored-count', HTMLElement);
  readonly #more = find('#more-versions', HTMLButtonElement);
  #lesson: Lesson | undefined;
  #showsAll = false;

  constructor(options: PublishOptions) {
    this.#options = options;
    find('#publish-copy', HTMLElement).append(createCopyButton(() => this.#code.textContent ?? ''));
    find('#rename-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const name = this.#name.value.trim();
      const lesson = this.#lesson;
      if (name !== '' && lesson) options.act(() => lesson.rename(name));
    });
    this.#more.addEventListener('click', () => {
      this.#showsAll = true;
      if (this.#lesson) this.show(this.#lesson);
    });
    find('#delete-classifier', HTMLButtonElement).addEventListener('click', () => {
      const lesson = this.#lesson;
      if (lesson) options.act(() => this.#delete(lesson));
    });
  }

  show(lesson: Lesson): void {
    const { classifier } = lesson;
    if (this.#lesson !== lesson || document.activeElement !== this.#name) this.#name.value = classifier.name;
    this.#lesson = lesson;
    this.#section.hidden = classifier.version === undefined;
    this.#code.textContent = toCurl({
      origin: location.origin,
      model: classifier.model,
      name: 'photo.jpg',
      source: { kind: 'file', file: new Blob() },
      needsKey: readCredential() !== '',
    });
    const shown = classifier.versions.filter(
      ({ version }, index) => this.#showsAll || index < newestVersions || version === classifier.version,
    );
    this.#versions.replaceChildren(...shown.map((version) => this.#createRow(version)));
    this.#more.hidden = shown.length === classifier.versions.length;
    find('#stored-expiry', HTMLElement).hidden = readCredential() !== '';
    this.#stored.textContent =
      classifier.examples === 0 ? 'your photos' : formatCount(classifier.examples, 'photo');
  }

  #createRow(row: ClassifierVersion): HTMLElement {
    const { version, state, examples } = row;
    const isServing = version === this.#lesson?.classifier.version;
    const serve = button('Serve', () => this.#serve(version), 'link');
    serve.setAttribute('aria-label', `Serve version ${version}`);
    return element(
      'tr',
      {},
      element('th', { text: String(version), attributes: { scope: 'row' } }),
      element('td', { text: examples === undefined ? '' : formatCount(examples, 'photo') }),
      element('td', { text: toAccuracy(row) }),
      element(
        'td',
        {},
        ...(isServing
          ? [element('strong', { text: 'Answers now' })]
          : state === 'ready'
            ? [serve]
            : [state === 'failed' ? 'Failed' : 'Learning…']),
      ),
    );
  }

  #serve(version: number): void {
    const lesson = this.#lesson;
    if (lesson) this.#options.act(() => lesson.serve(version));
  }

  async #delete(lesson: Lesson): Promise<void> {
    const isSure = await confirmDialog(
      `Delete ${lesson.classifier.name}?`,
      'The features of its photos, all its versions and the thumbnails in this browser are gone then. Its model answers nobody any more.',
      'Delete it',
    );
    if (!isSure) return;
    await lesson.delete();
    this.#options.onDeleted();
  }
}

function toAccuracy({ accuracy }: ClassifierVersion): string {
  if (!accuracy) return 'not known';
  return `${formatEstimate(accuracy.estimate)} (${formatEstimate(accuracy.low)} to ${formatEstimate(accuracy.high)})`;
}
