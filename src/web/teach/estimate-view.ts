import { announce } from '../dom/announce.ts';
import { element, find } from '../dom/element.ts';
import { formatCount, formatEstimate } from '../dom/format.ts';
import type { ClassifierVersion } from '../service/classifiers.ts';
import { adviseOnPhotos } from './advice.ts';
import type { Lesson } from './lesson.ts';

const shownVersions = 14;

/** How good the newest version is, how it came there, and which photos would help. */
export class EstimateView {
  readonly #figure = find('#estimate-figure', HTMLElement);
  readonly #words = find('#estimate-words', HTMLElement);
  readonly #chart = find('#estimate-chart', HTMLElement);
  readonly #advice = find('#estimate-advice', HTMLElement);
  readonly #panel = find('#estimate', HTMLElement);
  readonly #again = find('#learn-again', HTMLButtonElement);
  #announced = '';

  constructor(onLearnAgain: () => void) {
    this.#again.addEventListener('click', onLearnAgain);
  }

  show(lesson: Lesson): void {
    const { versions, classes } = lesson.classifier;
    const { isTraining } = lesson;
    const newest = versions.find(({ state }) => state === 'ready');
    this.#panel.dataset['state'] = isTraining ? 'training' : 'still';
    this.#figure.textContent = toFigure(newest, isTraining);
    this.#figure.classList.toggle('words', newest?.accuracy === undefined);
    this.#words.textContent = toWords(newest, isTraining, classes);
    this.#chart.hidden = !versions.some(({ accuracy }) => accuracy !== undefined);
    this.#chart.replaceChildren(
      ...versions
        .filter(({ accuracy }) => accuracy !== undefined)
        .slice(0, shownVersions)
        .toReversed()
        .map(createColumn),
    );
    this.#advice.textContent = toAdvice(lesson);
    this.#again.hidden = !lesson.hasFailed;
    this.#announce(newest);
  }

  #announce(newest: ClassifierVersion | undefined): void {
    if (!newest) return;
    const words = newest.accuracy
      ? `Version ${newest.version}: ${formatEstimate(newest.accuracy.estimate)} right.`
      : `Version ${newest.version} is ready.`;
    if (words === this.#announced) return;
    this.#announced = words;
    announce(words);
  }
}

function toFigure(newest: ClassifierVersion | undefined, isTraining: boolean): string {
  if (newest?.accuracy) return formatEstimate(newest.accuracy.estimate);
  if (newest) return 'Too early to say.';
  return isTraining ? 'Learning…' : 'No photos yet.';
}

function toWords(
  newest: ClassifierVersion | undefined,
  isTraining: boolean,
  classes: readonly { readonly examples: number }[],
): string {
  if (!newest) {
    if (isTraining) return 'A few seconds.';
    const filled = classes.filter(({ examples }) => examples > 0).length;
    return filled < 2 ? 'It learns as soon as two classes have photos.' : 'It has not learned yet.';
  }
  const { accuracy, examples, version } = newest;
  if (!accuracy) {
    return `Version ${version} has learned from ${formatCount(examples ?? 0, 'photo')}: too few different scenes to say how good it is.`;
  }
  return (
    `right on photos of scenes that it has not seen, learned from ${formatCount(examples ?? 0, 'photo')}. ` +
    `With 95 % certainty the truth is between ${formatEstimate(accuracy.low)} and ${formatEstimate(accuracy.high)}.`
  );
}

function toAdvice({ report, classifier, hasFailed }: Lesson): string {
  const [newest] = classifier.versions;
  if (newest && hasFailed) {
    return `Version ${newest.version} could not be learned. ${newest.error?.detail ?? ''}`;
  }
  const advice = report && adviseOnPhotos(report);
  return advice ? `More photos of ${advice.className} would help most. ${advice.reason}` : '';
}

/** The interval as a bar, the estimate as a mark on it. The figures stand in the list of versions. */
function createColumn({ accuracy, version, examples }: ClassifierVersion): HTMLElement {
  const column = element(
    'li',
    { attributes: { title: `Version ${version}, ${formatCount(examples ?? 0, 'photo')}` } },
    element('span', { class: 'interval' }),
    element('span', { class: 'mark' }),
  );
  column.style.setProperty('--low', String(accuracy?.low ?? 0));
  column.style.setProperty('--high', String(accuracy?.high ?? 0));
  column.style.setProperty('--estimate', String(accuracy?.estimate ?? 0));
  return column;
}
