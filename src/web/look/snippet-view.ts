import { createCopyButton } from '../dom/copy-button.ts';
import { element, find } from '../dom/element.ts';
import { createTabs } from '../dom/tabs.ts';
import { readCredential } from '../service/credential.ts';
import type { Picture } from './gallery.ts';
import { toCurl, toJavaScript, toPython } from './snippets.ts';

const languages = [
  { id: 'curl', title: 'curl' },
  { id: 'javascript', title: 'JavaScript' },
  { id: 'python', title: 'Python' },
  { id: 'json', title: 'JSON' },
] as const;
type Language = (typeof languages)[number]['id'];

/** The same request in other languages, and the answer as it came. Hidden where there is no answer to repeat. */
export class SnippetView {
  readonly #section = find('#snippets', HTMLElement);
  readonly #code = find('#code', HTMLElement);
  readonly #readModel: () => string;
  #language: Language = 'curl';
  #picture: Picture | undefined;

  constructor(readModel: () => string) {
    this.#readModel = readModel;
    const tabs = languages.map(({ id, title }) =>
      element('button', {
        class: 'segment',
        text: title,
        attributes: { type: 'button', role: 'tab', id: `snippet-${id}`, 'aria-controls': 'code-panel' },
      }),
    );
    const panel = find('#code-panel', HTMLElement);
    panel.tabIndex = 0; // long code scrolls, also by keyboard
    const toIndex = (tab: HTMLElement) => tabs.findIndex(({ id }) => id === tab.id);
    const choose = createTabs(tabs, (tab) => {
      this.#language = languages[toIndex(tab)]?.id ?? 'curl';
      panel.setAttribute('aria-labelledby', tab.id);
      this.#render();
    });
    find('#languages', HTMLElement).append(...tabs);
    find('#copy-slot', HTMLElement).append(createCopyButton(() => this.#code.textContent ?? ''));
    if (tabs[0]) choose(tabs[0]);
  }

  show(picture: Picture): void {
    this.#picture = picture;
    this.#section.hidden = picture.state.kind !== 'done';
    this.#render();
  }

  #render(): void {
    if (this.#picture?.state.kind === 'done') this.#code.textContent = this.#write(this.#picture);
  }

  #write({ name, source, state }: Picture): string {
    if (this.#language === 'json') {
      return state.kind === 'done' ? JSON.stringify(state.answer.json, null, 2) : '';
    }
    const request = {
      origin: location.origin,
      model: this.#readModel(),
      name,
      source,
      needsKey: readCredential() !== '',
    };
    if (this.#language === 'curl') return toCurl(request);
    return this.#language === 'javascript' ? toJavaScript(request) : toPython(request);
  }
}
