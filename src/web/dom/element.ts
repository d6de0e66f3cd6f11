type Child = Node | string;

interface Options {
  readonly class?: string;
  readonly text?: string;
  /** `true` sets the attribute without a value, `false` leaves it out. */
  readonly attributes?: Readonly<Record<string, string | boolean>>;
  readonly onClick?: () => void;
}

/** Makes an element. Text is set as text, never parsed as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: Options = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (options.class) made.className = options.class;
  if (options.text !== undefined) made.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {})) {
    if (value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  if (options.onClick) made.addEventListener('click', options.onClick);
  made.append(...children);
  return made;
}

/** A button that does something on this page. */
export function button(label: string, onClick: () => void, className = 'button'): HTMLButtonElement {
  return element('button', { class: className, text: label, attributes: { type: 'button' }, onClick });
}

/** Finds what the page's HTML has to have. */
export function find<T extends HTMLElement>(
  selector: string,
  kind: new () => T,
  root: ParentNode = document,
): T {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`The page has no ${selector}.`);
  return found;
}
