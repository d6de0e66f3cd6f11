import { announce } from '../dom/announce.ts';
import { find } from '../dom/element.ts';
import { createProblem } from '../dom/problem-view.ts';
import { createClassifier, listClassifiers } from '../service/classifiers.ts';
import { readCredential } from '../service/credential.ts';
import { isAboutCredential, type ServiceProblem, toProblem } from '../service/service-problem.ts';
import { ClassCard } from './class-card.ts';
import { CreateView } from './create-view.ts';
import { DoubtfulView } from './doubtful-view.ts';
import { EstimateView } from './estimate-view.ts';
import { forget, type KnownClassifier, readKnown } from './known-classifiers.ts';
import { Lesson } from './lesson.ts';
import { PublishView } from './publish-view.ts';
import { TryView } from './try-view.ts';

interface TeachOptions {
  /** Told when the service wants another credential. */
  readonly onRefused: (problem: ServiceProblem) => void;
}

/** The tab "Teach": classes of one's own. */
export class Teach {
  readonly #panel = find('#teach', HTMLElement);
  readonly #problem = find('#teach-problem', HTMLElement);
  readonly #classes = find('#classes', HTMLElement);
  readonly #choice = find('#classifier', HTMLSelectElement);
  readonly #options: TeachOptions;
  readonly #create = new CreateView({
    onCreate: (name, classes) => this.#act(() => this.#begin(name, classes)),
  });
  readonly #estimate = new EstimateView(() => this.#act(async () => await this.#lesson?.train()));
  readonly #doubtful = new DoubtfulView((id) => this.#act(async () => await this.#lesson?.removeExample(id)));
  readonly #try = new TryView();
  readonly #publish = new PublishView({
    act: (work) => this.#act(work),
    onDeleted: () => this.#act(() => this.#openLatest('Deleted.')),
  });
  #cards = new Map<string, ClassCard>();
  #lesson: Lesson | undefined;
  #isOpen = false;

  constructor(options: TeachOptions) {
    this.#options = options;
    this.#choice.addEventListener('change', () => {
      if (this.#choice.value === '') this.#startNew();
      else this.#act(() => this.#openLesson(this.#choice.value));
    });
    find('#class-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#addClass(find('#class-name', HTMLInputElement));
    });
  }

  /** Called whenever the tab is chosen; it asks the service once. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#act(() => this.#openLatest());
  }

  /** The tab was left: the camera goes off. */
  leave(): void {
    this.#try.clear();
  }

  async #openLatest(message = ''): Promise<void> {
    const [latest] = await this.#listKnown();
    if (latest) await this.#openLesson(latest.id);
    else this.#startNew();
    if (message) announce(message);
  }

  /** With a key the service lists its classifiers; without one this browser knows the ids. */
  async #listKnown(): Promise<readonly KnownClassifier[]> {
    const known = readKnown();
    if (readCredential() === '') return known;
    const listed = await listClassifiers();
    const current = listed.find(({ id }) => id === known[0]?.id);
    return current ? [current, ...listed.filter((other) => other !== current)] : listed;
  }

  async #openLesson(id: string): Promise<void> {
    this.#lesson?.close();
    try {
      const lesson = await Lesson.open(
        id,
        () => this.#show(),
        (cause) => this.#tell(cause),
      );
      this.#lesson = lesson;
    } catch (cause) {
      if (toProblem(cause).status === 404) forget(id);
      throw cause;
    }
    this.#cards = new Map();
    this.#classes.replaceChildren();
    this.#try.clear();
    this.#show();
    await this.#fillChoice();
  }

  async #begin(name: string, classes: readonly string[]): Promise<void> {
    const { id } = await createClassifier(name, classes);
    await this.#openLesson(id);
    this.#create.clear();
    this.#classes.querySelector('input')?.focus();
  }

  #startNew(): void {
    this.#lesson?.close();
    this.#lesson = undefined;
    this.#panel.dataset['view'] = 'new';
    this.#try.show(undefined);
    void this.#fillChoice();
  }

  #show(): void {
    const lesson = this.#lesson;
    if (!lesson) return;
    this.#panel.dataset['view'] = 'lesson';
    this.#panel.toggleAttribute('data-learned', lesson.classifier.version !== undefined);
    find('#lesson-name', HTMLElement).textContent = lesson.classifier.name;
    this.#showClasses(lesson);
    this.#estimate.show(lesson);
    this.#doubtful.show(lesson);
    this.#try.show(lesson.classifier.version === undefined ? undefined : lesson.classifier.model);
    this.#publish.show(lesson);
  }

  #showClasses(lesson: Lesson): void {
    const names = lesson.classes;
    for (const [name, card] of this.#cards) {
      if (names.includes(name)) continue;
      card.root.remove();
      this.#cards.delete(name);
    }
    for (const name of names) {
      const card = this.#cards.get(name) ?? new ClassCard(lesson, name);
      if (!this.#cards.has(name)) {
        this.#cards.set(name, card);
        this.#classes.append(card.root);
      }
      card.update();
    }
  }

  #addClass(input: HTMLInputElement): void {
    const name = input.value.trim();
    if (name === '' || this.#lesson?.classes.includes(name)) {
      input.focus();
      return;
    }
    this.#lesson?.addClass(name);
    input.value = '';
    this.#cards.get(name)?.root.querySelector('input')?.focus();
  }

  async #fillChoice(): Promise<void> {
    const known = await this.#listKnown();
    const current = this.#lesson?.classifier.id ?? '';
    find('#classifier-choice', HTMLElement).hidden = known.length === 0;
    this.#choice.replaceChildren(
      ...known.map(({ id, name }) => new Option(name, id, false, id === current)),
      new Option('A new one…', '', false, current === ''),
    );
  }

  /** Runs what a person asked for. What went wrong stands over the classes. */
  #act(work: () => Promise<void>): void {
    this.#problem.replaceChildren();
    void work().catch((cause: unknown) => this.#tell(cause));
  }

  #tell(cause: unknown): void {
    const problem = toProblem(cause);
    if (isAboutCredential(problem)) {
      this.#options.onRefused(problem);
      return;
    }
    if (!this.#lesson) this.#startNew();
    this.#problem.replaceChildren(createProblem(problem, () => this.#act(() => this.#openLatest())));
  }
}
