import { announce } from './dom/announce.ts';
import { find } from './dom/element.ts';
import { keepCredential, readCredential } from './service/credential.ts';
import type { ServiceProblem } from './service/service-problem.ts';

interface KeyView {
  /** Asks for a key, and says what is wrong with the one that was given. */
  readonly show: (problem: ServiceProblem) => void;
  readonly hide: () => void;
}

/**
 * The first view of a deployment with keys.
 *
 * @param options `onCredential` tries the credential that was given or forgotten; it shows or hides this view.
 */
export function createKeyView({ onCredential }: { readonly onCredential: () => Promise<void> }): KeyView {
  const view = find('#key-view', HTMLElement);
  const input = find('#key', HTMLInputElement);
  const error = find('#key-error', HTMLElement);
  const submit = find('#key-submit', HTMLButtonElement);
  const note = find('#key-note', HTMLElement);

  find('#key-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const credential = input.value.trim();
    if (credential === '') return input.focus();
    submit.disabled = true;
    keepCredential(credential);
    void onCredential().finally(() => {
      submit.disabled = false;
    });
  });
  find('#forget-key', HTMLButtonElement).addEventListener('click', () => {
    keepCredential('');
    location.reload();
  });

  return {
    show(problem) {
      const wasTried = readCredential() !== '';
      keepCredential('');
      document.body.dataset['private'] = '';
      view.hidden = false;
      error.textContent = wasTried ? `${problem.message} ${problem.advice}` : '';
      input.setAttribute('aria-invalid', String(wasTried));
      if (wasTried) announce(problem.message);
      input.focus();
    },
    hide() {
      delete document.body.dataset['private'];
      view.hidden = true;
      input.value = '';
      note.hidden = readCredential() === '';
    },
  };
}
