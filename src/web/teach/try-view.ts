import { type Camera, openCamera } from '../camera/camera.ts';
import { showWithCamera } from '../camera/has-camera.ts';
import { announce } from '../dom/announce.ts';
import { createBars } from '../dom/bars.ts';
import { element, find } from '../dom/element.ts';
import { formatShare } from '../dom/format.ts';
import { createPreview } from '../dom/preview.ts';
import { createProblem, holdText, holdTitle } from '../dom/problem-view.ts';
import { takeChoices, takeDrops, takePastes } from '../dom/take-pictures.ts';
import { type Answer, classify } from '../service/classify.ts';
import { toProblem } from '../service/service-problem.ts';

const shownLabels = 6;
/** Width by height of the well. */
const wellRatio = 4 / 3;
/** The model sees 224 of 256 pixels of the shorter side. */
const seenPart = 224 / 256;
/** A camera's picture is sent at most this often. */
const liveEveryMs = 400;

/** The new model against a photo, or against what the camera sees. */
export class TryView {
  readonly #section = find('#try', HTMLElement);
  readonly #well = find('#try-well', HTMLElement);
  readonly #title = find('#try-title', HTMLElement);
  readonly #body = find('#try-body', HTMLElement);
  readonly #live = find('#try-live', HTMLButtonElement);
  #model = '';
  #camera: Camera | undefined;
  #lastLabel = '';

  constructor() {
    const tryFirst = (files: readonly File[]) => {
      if (files[0]) void this.#try(files[0]);
    };
    takeDrops({ zone: this.#section, onFiles: tryFirst });
    takePastes(() => this.#section.checkVisibility() && document.querySelector('dialog[open]') === null, {
      onFiles: tryFirst,
    });
    takeChoices(find('#try-files', HTMLInputElement), tryFirst);
    showWithCamera([this.#live]);
    this.#live.addEventListener('click', () => void this.#toggleLive());
  }

  /** @param model undefined while there is no version that answers. */
  show(model: string | undefined): void {
    this.#section.hidden = model === undefined;
    if (model !== this.#model) this.clear();
    this.#model = model ?? '';
  }

  clear(): void {
    this.#stopLive();
    this.#well.replaceChildren();
    this.#title.textContent = 'Show it something.';
    this.#body.replaceChildren();
    this.#lastLabel = '';
  }

  async #try(file: File): Promise<void> {
    this.#stopLive();
    const source = { kind: 'file', file } as const;
    const name = file.name || 'pasted.png';
    this.#well.replaceChildren(createPreview(source, name, (width, height) => this.#frame(width / height)));
    this.#title.textContent = 'Looking…';
    try {
      const answer = await classify(
        { kind: 'file', file },
        {
          model: this.#model,
          onHold: (hold) => {
            this.#title.textContent = `${holdTitle(hold)} ${holdText(hold)}`;
          },
        },
      );
      this.#showAnswer(answer);
    } catch (cause) {
      this.#title.textContent = 'No answer';
      this.#body.replaceChildren(createProblem(toProblem(cause), () => void this.#try(file)));
    }
  }

  async #toggleLive(): Promise<void> {
    if (this.#camera) return this.#stopLive();
    this.#live.disabled = true;
    try {
      const camera = await openCamera();
      this.#camera = camera;
      this.#live.textContent = 'Stop the camera';
      this.#well.replaceChildren(camera.video);
      this.#frame(camera.video.videoWidth / camera.video.videoHeight);
      void this.#watch(camera);
    } catch {
      this.#title.textContent = 'The camera was refused.';
    } finally {
      this.#live.disabled = false;
    }
  }

  /** One picture at a time: the next one is taken when the answer is there. */
  async #watch(camera: Camera): Promise<void> {
    while (this.#camera === camera) {
      try {
        const file = await camera.takePhoto('live.jpg');
        const answer = await classify(
          { kind: 'file', file },
          { model: this.#model, onHold: () => undefined },
        );
        if (this.#camera === camera) this.#showAnswer(answer);
      } catch (cause) {
        if (this.#camera !== camera) return;
        this.#stopLive();
        this.#body.replaceChildren(createProblem(toProblem(cause)));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, liveEveryMs));
    }
  }

  /** Puts the corners around the centre of the picture, which stands in the middle of a well of 4:3. */
  #frame(ratio: number): void {
    const heightOfPicture = Math.min(1, wellRatio / ratio);
    const side = seenPart * heightOfPicture * Math.min(1, ratio);
    this.#well.parentElement?.style.setProperty('--crop', String(side));
  }

  #stopLive(): void {
    this.#camera?.stop();
    this.#camera = undefined;
    this.#live.textContent = 'Live camera';
  }

  #showAnswer({ predictions, unknown }: Answer): void {
    const [best] = predictions;
    const label = unknown ? 'None of these' : (best?.label ?? 'None of these');
    this.#title.textContent = label;
    // A camera gives two answers a second: only another label is told.
    if (label !== this.#lastLabel) announce(`${label}.`);
    this.#lastLabel = label;
    const bars = predictions
      .slice(0, shownLabels)
      .map((each) => ({ name: each.label, share: each.score, figure: formatShare(each.score) }));
    this.#body.replaceChildren(
      createBars('Scores', bars, unknown ? 'scores unknown' : 'scores'),
      ...(unknown
        ? [
            element('p', {
              class: 'hint',
              text: 'It is unlike what it has learned, or it could be several: none of your classes.',
            }),
          ]
        : []),
    );
  }
}
