import { showCameraDialog } from '../camera/camera-dialog.ts';
import { showWithCamera } from '../camera/has-camera.ts';
import { announce } from '../dom/announce.ts';
import { confirmDialog } from '../dom/confirm-dialog.ts';
import { button, element } from '../dom/element.ts';
import { formatCount } from '../dom/format.ts';
import { holdText, holdTitle } from '../dom/problem-view.ts';
import { takeChoices, takeDrops } from '../dom/take-pictures.ts';
import type { Example } from '../service/classifiers.ts';
import { toProblem } from '../service/service-problem.ts';
import type { Lesson } from './lesson.ts';
import { createPhoto } from './photo.ts';

let lastId = 0;

/** One class: its photos as a contact sheet, and the ways to add and remove them. */
export class ClassCard {
  readonly root: HTMLElement;
  readonly #lesson: Lesson;
  readonly #className: string;
  readonly #sheet = element('ul', { class: 'sheet' });
  readonly #count = element('span', { class: 'count' });
  readonly #status = element('p', { class: 'class-status', attributes: { role: 'status' } });
  readonly #refusals = element('ul', { class: 'refusals' });
  readonly #items = new Map<string, HTMLElement>();

  constructor(lesson: Lesson, className: string) {
    this.#lesson = lesson;
    this.#className = className;
    const titleId = `class-${++lastId}`;
    const input = element('input', {
      class: 'hidden-input',
      attributes: {
        type: 'file',
        id: `${titleId}-files`,
        accept: 'image/*,.heic,.heif,.avif,.tif,.tiff',
        multiple: true,
        'aria-label': `Add photos of ${className}`,
      },
    });
    takeChoices(input, (files) => void this.#add(files));
    const film = button('Film', () => this.#film(), 'button quiet small');
    film.setAttribute('aria-label', `Film ${className}`);
    film.hidden = true;
    showWithCamera([film]);
    const remove = button('Remove class', () => void this.#removeClass(), 'link');
    remove.setAttribute('aria-label', `Remove class ${className}`);
    this.root = element(
      'section',
      { class: 'class-card', attributes: { 'aria-labelledby': titleId } },
      element('header', {}, element('h2', { text: className, attributes: { id: titleId } }), this.#count),
      this.#sheet,
      element('p', { class: 'sheet-hint', text: 'Drop photos here' }),
      this.#status,
      this.#refusals,
      element(
        'p',
        { class: 'actions' },
        element('label', { class: 'button small', text: 'Add photos', attributes: { for: input.id } }),
        input,
        film,
        remove,
      ),
    );
    takeDrops({ zone: this.root, onFiles: (files) => void this.#add(files) });
  }

  update(): void {
    const examples = this.#lesson.examplesOf(this.#className);
    const ids = new Set(examples.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (ids.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    for (const example of examples) {
      if (this.#items.has(example.id)) continue;
      const item = this.#createItem(example);
      this.#items.set(example.id, item);
      this.#sheet.append(item);
    }
    this.#count.textContent = formatCount(examples.length, 'photo');
    this.root.classList.toggle('empty', examples.length === 0);
  }

  #createItem(example: Example): HTMLElement {
    const remove = button('×', () => void this.#remove(example), 'remove');
    remove.setAttribute('aria-label', `Remove ${example.name} from ${this.#className}`);
    return element('li', {}, createPhoto(example), remove);
  }

  async #add(files: readonly File[]): Promise<void> {
    this.#refusals.replaceChildren();
    try {
      const refusals = await this.#lesson.addPhotos(this.#className, files, ({ done, total, hold }) => {
        this.#status.textContent = hold
          ? `${holdTitle(hold)} ${holdText(hold)}`
          : `Sending ${formatCount(total, 'photo')}: ${done} done.`;
      });
      const taken = files.length - refusals.length;
      this.#status.textContent = `${formatCount(taken, 'photo')} added.`;
      this.#refusals.replaceChildren(
        ...refusals.map(({ name, problem }) => element('li', { text: `${name}: ${problem.message}` })),
      );
    } catch (cause) {
      this.#tell(cause);
    }
  }

  #film(): void {
    void showCameraDialog({
      title: `Film ${this.#className}`,
      mode: 'burst',
      onPhotos: (photos) => void this.#add(photos),
    });
  }

  async #remove({ id, name }: Example): Promise<void> {
    const item = this.#items.get(id);
    const next = item?.nextElementSibling ?? item?.previousElementSibling;
    try {
      await this.#lesson.removeExample(id);
      announce(`${name} removed.`);
      const focused = next?.querySelector('button') ?? this.root.querySelector('input');
      focused?.focus();
    } catch (cause) {
      this.#tell(cause);
    }
  }

  async #removeClass(): Promise<void> {
    const count = this.#lesson.examplesOf(this.#className).length;
    const isSure =
      count === 0 ||
      (await confirmDialog(
        `Remove ${this.#className}?`,
        `${formatCount(count, 'photo')} of it are forgotten. The next version does not know this class.`,
        'Remove it',
      ));
    if (!isSure) return;
    await this.#lesson.removeClass(this.#className).catch((cause: unknown) => this.#tell(cause));
  }

  #tell(cause: unknown): void {
    const { message, advice } = toProblem(cause);
    this.#status.textContent = `${message} ${advice}`;
  }
}
