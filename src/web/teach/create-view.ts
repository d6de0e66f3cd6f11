import { element, find } from '../dom/element.ts';

interface CreateOptions {
  readonly onCreate: (name: string, classes: readonly string[]) => void;
}

/** The form that begins a lesson: a name, and two classes or more. */
export class CreateView {
  readonly #inputs = find('#new-classes', HTMLElement);
  readonly #name = find('#new-name', HTMLInputElement);
  readonly #error = find('#new-error', HTMLElement);

  constructor({ onCreate }: CreateOptions) {
    this.clear();
    find('#new-class', HTMLButtonElement).addEventListener('click', () => this.#addInput('').focus());
    find('#new-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const classes = this.#readClasses();
      const complaint = toComplaint(classes);
      this.#error.textContent = complaint;
      if (complaint === '') onCreate(this.#name.value.trim() || classes.join(' or '), classes);
      else this.#inputs.querySelector('input')?.focus();
    });
  }

  clear(): void {
    this.#name.value = '';
    this.#error.textContent = '';
    this.#inputs.replaceChildren();
    for (const example of ['apple', 'pear']) this.#addInput(example);
  }

  #readClasses(): string[] {
    return [...this.#inputs.querySelectorAll('input')].map((input) => input.value.trim()).filter(Boolean);
  }

  #addInput(example: string): HTMLInputElement {
    const number = this.#inputs.childElementCount + 1;
    const input = element('input', {
      attributes: {
        type: 'text',
        maxlength: '80',
        autocomplete: 'off',
        'aria-label': `Class ${number}`,
        placeholder: example ? `such as ${example}` : 'one more',
      },
    });
    this.#inputs.append(element('li', {}, input));
    return input;
  }
}

function toComplaint(classes: readonly string[]): string {
  if (classes.length < 2) return 'Name two classes or more: it learns to tell them apart.';
  if (new Set(classes).size < classes.length) return 'Two classes have the same name.';
  return '';
}
