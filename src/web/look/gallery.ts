import type { Hold } from '../service/call-service.ts';
import { type Answer, classify, type PictureSource } from '../service/classify.ts';
import { type ServiceProblem, toProblem } from '../service/service-problem.ts';

export type PictureState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'working' }
  | { readonly kind: 'held'; readonly hold: Hold }
  | { readonly kind: 'done'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly problem: ServiceProblem };

export interface Picture {
  readonly id: number;
  readonly name: string;
  readonly source: PictureSource;
  state: PictureState;
}

export interface NewPicture {
  readonly name: string;
  readonly source: PictureSource;
}

interface GalleryOptions {
  /** The model to ask; read anew for each picture. */
  readonly readModel: () => string;
  /** Told when a picture was added, or its state has changed. */
  readonly onChange: (picture: Picture) => void;
}

/**
 * The pictures of this visit and their answers. It asks for one after the other: an isolate has one thread, and a person
 * sees the first answers sooner.
 */
export class Gallery {
  readonly #options: GalleryOptions;
  #pictures: readonly Picture[] = [];
  #lastId = 0;
  #isRunning = false;
  /** Pictures whose next answer has to be computed, although the service may remember one. */
  readonly #anew = new Set<Picture>();

  constructor(options: GalleryOptions) {
    this.#options = options;
  }

  /** Newest first. */
  get pictures(): readonly Picture[] {
    return this.#pictures;
  }

  /** @returns the first of the pictures that were added. */
  add(news: readonly NewPicture[]): Picture | undefined {
    const pictures = news.map(
      (each): Picture => ({ ...each, id: ++this.#lastId, state: { kind: 'waiting' } }),
    );
    this.#pictures = [...pictures, ...this.#pictures];
    for (const picture of pictures) this.#options.onChange(picture);
    void this.#run();
    return pictures[0];
  }

  /** Asks again: for a picture that failed, or for an answer that is computed now. */
  askAgain(picture: Picture): void {
    this.#anew.add(picture);
    this.#set(picture, { kind: 'waiting' });
    void this.#run();
  }

  /** Asks for every picture again, as with another model. */
  askAllAgain(): void {
    for (const picture of this.#pictures) this.#set(picture, { kind: 'waiting' });
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (;;) {
        const next = this.#pictures.find(({ state }) => state.kind === 'waiting');
        if (!next) return;
        await this.#ask(next);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #ask(picture: Picture): Promise<void> {
    this.#set(picture, { kind: 'working' });
    const model = this.#options.readModel();
    try {
      const answer = await classify(picture.source, {
        model,
        anew: this.#anew.delete(picture),
        onHold: (hold) => this.#set(picture, { kind: 'held', hold }),
      });
      // The model was changed meanwhile: this answer is of no use.
      if (model !== this.#options.readModel()) return this.#set(picture, { kind: 'waiting' });
      this.#set(picture, { kind: 'done', answer });
    } catch (cause) {
      this.#set(picture, { kind: 'failed', problem: toProblem(cause) });
    }
  }

  #set(picture: Picture, state: PictureState): void {
    picture.state = state;
    this.#options.onChange(picture);
  }
}
