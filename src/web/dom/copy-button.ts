import { announce } from './announce.ts';
import { button } from './element.ts';

/** Copies a text, and says so where the person looks. */
export function createCopyButton(read: () => string): HTMLButtonElement {
  const made = button('Copy', () => void copy(), 'button quiet copy');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(read());
      made.textContent = 'Copied';
      announce('Copied.');
    } catch {
      made.textContent = 'Select it by hand';
    }
    setTimeout(() => {
      made.textContent = 'Copy';
    }, 2000);
  };
  return made;
}
