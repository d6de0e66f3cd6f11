import { showCameraDialog } from '../camera/camera-dialog.ts';
import { showWithCamera } from '../camera/has-camera.ts';
import { announce } from '../dom/announce.ts';
import { find } from '../dom/element.ts';
import { formatShare } from '../dom/format.ts';
import { takeChoices, takeDrops, takePastes } from '../dom/take-pictures.ts';
import type { Hold } from '../service/call-service.ts';
import { isAboutCredential, type ServiceProblem } from '../service/service-problem.ts';
import { AnswerView } from './answer-view.ts';
import { Gallery, type NewPicture, type Picture } from './gallery.ts';
import { ModelChoice } from './model-choice.ts';
import { readSample, type Sample } from './samples.ts';
import { SnippetView } from './snippet-view.ts';
import { StageView } from './stage-view.ts';
import { StripView } from './strip-view.ts';

interface LookOptions {
  /** Told when the service wants another credential. */
  readonly onRefused: (problem: ServiceProblem) => void;
}

/** The tab "Look": what is in this picture? */
export function createLook({ onRefused }: LookOptions): {
  readonly load: (onHold: (hold: Hold) => void) => Promise<void>;
} {
  const panel = find('#look', HTMLElement);
  let chosen: Picture | undefined;

  const models = new ModelChoice({
    onModel: () => gallery.askAllAgain(),
    onCard: (card) => stage.showCrop(card),
  });
  const gallery = new Gallery({ readModel: () => models.name, onChange: (picture) => update(picture) });
  const stage = new StageView();
  const answer = new AnswerView((picture) => gallery.askAgain(picture));
  const snippets = new SnippetView(() => models.name);
  const strip = new StripView({ onPicture: choose, onSample: (sample) => void addSample(sample) });

  function update(picture: Picture): void {
    strip.show(gallery.pictures);
    if (picture === chosen) show(picture);
    if (picture.state.kind === 'failed') {
      announce(`${picture.name}: ${picture.state.problem.message}`);
      if (isAboutCredential(picture.state.problem)) onRefused(picture.state.problem);
    }
    if (picture.state.kind === 'done') announce(toSentence(picture, picture.state.answer.predictions[0]));
  }

  function show(picture: Picture): void {
    stage.show(picture);
    answer.show(picture);
    snippets.show(picture);
  }

  function choose(picture: Picture): void {
    chosen = picture;
    strip.choose(picture);
    show(picture);
  }

  function add(news: readonly NewPicture[]): Picture | undefined {
    const first = gallery.add(news);
    if (first) choose(first);
    return first;
  }
  const addFiles = (files: readonly File[]): void => {
    add(files.map((file) => ({ name: file.name || 'pasted.png', source: { kind: 'file', file } })));
  };
  const addUrl = (url: string): void => {
    add([{ name: toName(url), source: { kind: 'url', url } }]);
  };

  async function addSample(sample: Sample): Promise<void> {
    const file = await readSample(sample).catch(() => undefined);
    if (!file) return announce('The sample photo cannot be read. Is the network there?');
    const picture = add([{ name: sample.name, source: { kind: 'file', file } }]);
    if (picture) strip.takeSample(sample, picture);
  }

  takeDrops({ zone: panel, onFiles: addFiles, onUrl: addUrl });
  takePastes(() => !panel.hidden && document.querySelector('dialog[open]') === null, {
    onFiles: addFiles,
    onUrl: addUrl,
  });
  takeChoices(find('#files', HTMLInputElement), addFiles);
  const camera = find('#camera', HTMLButtonElement);
  showWithCamera([camera]);
  camera.addEventListener('click', () => {
    void showCameraDialog({ title: 'Take a photo', mode: 'one', onPhotos: addFiles });
  });
  const url = find('#url', HTMLInputElement);
  find('#url-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const address = url.value.trim();
    if (address === '') return url.focus();
    addUrl(address);
    url.value = '';
  });
  return { load: (onHold) => models.load(onHold) };
}

function toSentence(
  picture: Picture,
  best: { readonly label: string; readonly score: number } | undefined,
): string {
  const { state } = picture;
  if (!best || state.kind !== 'done') return `${picture.name}: none of the model's classes.`;
  if (state.answer.unknown) return `${picture.name}: none of the model's classes.`;
  return `${picture.name}: ${best.label}, ${formatShare(best.score)}.`;
}

/** The last part of the path, as a file would be called. */
function toName(url: string): string {
  try {
    const { pathname, host } = new URL(url);
    return decodeURIComponent(pathname.split('/').pop() ?? '') || host;
  } catch {
    return url;
  }
}
