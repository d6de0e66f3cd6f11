import { element, find } from '../dom/element.ts';
import { formatBytes, formatShare } from '../dom/format.ts';
import type { Hold } from '../service/call-service.ts';
import { listModels, type ModelCard, readModelCard } from '../service/models.ts';
import { toProblem } from '../service/service-problem.ts';

interface ModelChoiceOptions {
  /** Told when another model was chosen. */
  readonly onModel: () => void;
  /** Told once the card of the chosen model is known. */
  readonly onCard: (card: ModelCard) => void;
}

/** The list of models, and the card of the one that is chosen. */
export class ModelChoice {
  readonly #select = find('#model', HTMLSelectElement);
  readonly #card = find('#model-card', HTMLElement);
  readonly #options: ModelChoiceOptions;

  constructor(options: ModelChoiceOptions) {
    this.#options = options;
    this.#select.addEventListener('change', () => {
      options.onModel();
      void this.#showCard();
    });
  }

  /** Name of the chosen model; empty where the service does not tell, which then takes its default. */
  get name(): string {
    return this.#select.value;
  }

  /** @throws {ServiceProblem} if the service does not list its models to this visitor. */
  async load(onHold: (hold: Hold) => void): Promise<void> {
    const models = await listModels(onHold);
    this.#select.replaceChildren(
      ...models.map((model) => new Option(model.name, model.name, model.default, model.default)),
    );
    if (models.length === 0) this.#select.append(new Option('the default model', ''));
    this.#select.disabled = models.length < 2;
    await this.#showCard();
  }

  async #showCard(): Promise<void> {
    const { name } = this;
    if (name === '') return this.#card.replaceChildren();
    try {
      const card = await readModelCard(name);
      if (name !== this.name) return;
      this.#card.replaceChildren(...toFacts(card).flatMap(createFact));
      this.#options.onCard(card);
    } catch (cause) {
      this.#card.replaceChildren(...createFact(['Card', toProblem(cause).message]));
    }
  }
}

const createFact = ([name, value]: readonly [string, string]): HTMLElement[] => [
  element('dt', { text: name }),
  element('dd', { text: value }),
];

function toFacts(card: ModelCard): (readonly [string, string])[] {
  const [accuracy] = card.accuracy;
  const bytes = Math.max(...card.files.map((file) => file.bytes));
  const isHere = card.tier === 'edge';
  return [
    ['Knows', `${card.output.classes.toLocaleString('en')} classes`],
    [
      'Right',
      accuracy
        ? `${formatShare(accuracy.top1)} at first guess, ${formatShare(accuracy.top5)} within five (${accuracy.dataset})`
        : 'not measured',
    ],
    [
      'Runs',
      `${isHere ? 'at the edge, in this Worker' : 'on the Node tier'}; ${card.datatype}, ${formatBytes(bytes)}`,
    ],
    [
      'Sees',
      `the centre, within the corners: ${card.preprocess.center_crop} × ${card.preprocess.center_crop} pixels`,
    ],
    ['Licence', card.licence],
    ['Version', card.version],
  ];
}
