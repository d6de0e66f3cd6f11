import { button, element } from './element.ts';

/** Asks before something that cannot be undone. Escape and "Keep it" mean no. */
export async function confirmDialog(
  title: string,
  explanation: string,
  actionLabel: string,
): Promise<boolean> {
  const dialog = element('dialog', { class: 'confirm', attributes: { 'aria-label': title } });
  let isConfirmed = false;
  dialog.append(
    element('h2', { text: title }),
    element('p', { text: explanation }),
    element(
      'p',
      { class: 'actions' },
      button(actionLabel, () => {
        isConfirmed = true;
        dialog.close();
      }),
      button('Keep it', () => dialog.close(), 'button quiet'),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  await new Promise<void>((resolve) => dialog.addEventListener('close', () => resolve(), { once: true }));
  dialog.remove();
  return isConfirmed;
}
