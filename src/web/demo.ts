import { ApiProblem, classify, listModels } from './api.ts';
import { createCard, showAnswer, showProblem } from './view.ts';

const drop = byId('drop');
const model = byId('model') as HTMLSelectElement;
const key = byId('key') as HTMLInputElement;
const keyField = byId('key-field');
const status = byId('status');
const progress = byId('progress') as HTMLProgressElement;
const error = byId('error');
const results = byId('results');

for (const id of ['files', 'camera']) {
  const input = byId(id) as HTMLInputElement;
  input.addEventListener('change', () => {
    void classifyAll([...(input.files ?? [])]);
    input.value = ''; // so that the same file can be chosen again
  });
}
for (const type of ['dragenter', 'dragover'] as const) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
}
document.addEventListener('dragleave', () => drop.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  void classifyAll([...(event.dataTransfer?.files ?? [])]);
});
document.addEventListener('paste', (event) => void classifyAll([...(event.clipboardData?.files ?? [])]));
byId('ask').addEventListener('submit', (event) => event.preventDefault());
key.addEventListener('change', () => void showModels());
byId('copy').addEventListener('click', async () => {
  await navigator.clipboard.writeText(byId('curl').textContent ?? '');
  status.textContent = 'Copied.';
});
await showModels();

async function showModels(): Promise<void> {
  try {
    const models = await listModels(key.value);
    model.replaceChildren(
      ...models.map((entry) => new Option(entry.name, entry.name, entry.default, entry.default)),
    );
    error.hidden = true;
  } catch (cause) {
    tell(cause);
  }
}

/** One after the other: an isolate has one thread, and a person sees the first answers sooner. */
async function classifyAll(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  error.hidden = true;
  const cards = files.map((file) => createCard(file, file.name || 'pasted picture'));
  results.replaceChildren(...cards);
  progress.hidden = files.length === 1;
  progress.max = files.length;
  progress.value = 0;
  let failed = 0;
  for (const [index, file] of files.entries()) {
    const name = file.name || 'pasted picture';
    status.textContent = `Classifying ${name}…`;
    try {
      showAnswer(cards[index]!, name, await classify(file, model.value, key.value));
    } catch (cause) {
      failed++;
      showProblem(cards[index]!, name, toMessage(cause));
      if (files.length === 1 || isAboutKey(cause)) tell(cause);
    }
    progress.value = index + 1;
  }
  status.textContent = `${files.length - failed} of ${files.length} classified.`;
  showCurl(files[0]!.name || 'photo.jpg');
}

function showCurl(file: string): void {
  const bearer = key.value ? ' -H "Authorization: Bearer $KEY"' : '';
  const quoted = `'@${file.replaceAll("'", "'\\''")}'`;
  byId('curl').textContent =
    `curl --data-binary ${quoted}${bearer} '${location.origin}/v1/classify?model=${model.value}'`;
  byId('request').hidden = false;
}

function tell(cause: unknown): void {
  if (isAboutKey(cause)) keyField.hidden = false;
  error.textContent = toMessage(cause);
  error.hidden = false;
}

function isAboutKey(cause: unknown): boolean {
  return cause instanceof ApiProblem && cause.status === 401;
}

function toMessage(cause: unknown): string {
  return cause instanceof ApiProblem ? cause.message : 'Something went wrong in this page.';
}

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}.`);
  return element;
}
