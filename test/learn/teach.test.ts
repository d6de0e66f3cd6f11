import { describe, expect, it } from 'vitest';
import { calibrationError, fitTemperature, toProbabilities } from '../../src/learn/calibration.ts';
import { assignFolds } from '../../src/learn/cross-validation.ts';
import { loadMatrixRoutines } from '../../src/learn/matrix/matrix-routines-node.ts';
import { type Example, type Lesson, teach as learn, type TeachOptions } from '../../src/learn/teach.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';

const features = 40;
const module = loadMatrixRoutines();
const teach = (
  examples: readonly Example[],
  labels: readonly string[],
  options: Omit<TeachOptions, 'module'> = {},
) => learn(examples, labels, { module, ...options });

interface KnownExample extends Example {
  readonly vector: Float32Array;
}

/** Points around a centre for each class, of length 1; `spread` 0 puts them on it. */
function makeExamples(sizes: readonly number[], spread: number, seed = 1): KnownExample[] {
  const random = createRandom(seed).uniform;
  const noise = () => Array.from({ length: features }, () => random() - 0.5);
  const centres = sizes.map(noise);
  return sizes.flatMap((size, label) =>
    Array.from({ length: size }, (_, index) => {
      const vector = toUnit(noise().map((value, f) => centres[label]![f]! + spread * value));
      return { name: `${label}/${index}`, label, vector, read: async () => vector };
    }),
  );
}

function toUnit(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

const labels = ['apple', 'pear', 'plum'];

function classify(lesson: Lesson, vector: Float32Array): number {
  const sums = lesson.biases.map((bias, c) =>
    vector.reduce((sum, value, f) => sum + value * lesson.weights[c * features + f]!, bias),
  );
  return sums.indexOf(Math.max(...sums));
}

describe('teach', () => {
  it('learns classes that can be told apart, and knows that it does', async () => {
    const examples = makeExamples([12, 12, 12], 1);
    const lesson = await teach(examples, labels);
    for (const { vector, label } of examples) expect(classify(lesson, vector)).toBe(label);
    expect(lesson.report.accuracy!.estimate).toBeGreaterThan(0.9);
    expect(lesson.report).toMatchObject({ photos: 36, classes: 3 });
  });

  it('knows when it has learned nothing: labels that are noise', async () => {
    const random = createRandom(3).uniform;
    const examples = makeExamples([40], 4).map((example) => ({
      ...example,
      label: Math.floor(random() * 3),
    }));
    const { accuracy } = (await teach(examples, labels)).report;
    expect(accuracy!.low).toBeLessThan(0.45);
    expect(accuracy!.estimate).toBeLessThan(0.6);
  });

  it('is not fooled by photos that come twice: twins stay in one fold', async () => {
    const random = createRandom(5).uniform;
    const once = makeExamples([30], 4).map((example) => ({ ...example, label: Math.floor(random() * 3) }));
    const twins = once.flatMap((example) => [example, { ...example, name: `${example.name} again` }]);
    const { accuracy, copies, scenes } = (await teach(twins, labels)).report;
    // By photo alone the estimate would be 1.
    expect(accuracy!.estimate).toBeLessThan(0.6);
    expect(scenes).toBe(30);
    expect(copies).toContainEqual(['0/0', '0/0 again']);
  });

  it('does not let a large class swallow a small one', async () => {
    const lesson = await teach(makeExamples([150, 5], 2.2), ['many', 'few']);
    const [many, few] = lesson.report.per_class;
    expect(many!.photos).toBe(150);
    expect(few!.recall).toBeGreaterThanOrEqual(0.6);
  });

  it('finds a photo in the wrong folder', async () => {
    const examples = makeExamples([15, 15, 15], 0.8);
    const wrong = { ...examples[0]!, label: 1, name: 'an apple among the pears' };
    const { doubtful } = (await teach([...examples.slice(1), wrong], labels)).report;
    expect(doubtful[0]).toMatchObject({ name: wrong.name, label: 'pear', looks_like: 'apple' });
  });

  it('does with one photo a class what can be done: the nearest', async () => {
    const examples = makeExamples([1, 1, 1], 0);
    const lesson = await teach(examples, labels);
    for (const { vector, label } of examples) expect(classify(lesson, vector)).toBe(label);
    expect(lesson.report.accuracy).toBeUndefined();
    expect(lesson.threshold).toBe(0);
  });

  it('is not sure of itself after a few photos that were all right', async () => {
    const { report, temperature } = await teach(makeExamples([3, 3, 3], 1), labels);
    expect(report.accuracy!.estimate).toBe(1);
    expect(report.threshold).toBeLessThan(0.7);
    expect(temperature).toBeGreaterThan(0.02);
  });

  it('knows photos of none of its classes by their distance, and keeps its own', async () => {
    const [apples, pears, plums, others] = [0, 1, 2, 3].map((label) =>
      makeExamples([20, 20, 20, 20], 1).filter((example) => example.label === label),
    );
    const learned = [apples!, pears!, plums!].flatMap((own) => own.slice(0, 12));
    const { means, minSimilarity } = await teach(learned, labels);
    const similarity = ({ vector }: KnownExample) =>
      Math.max(
        ...means.map(
          (mean) => vector.reduce((sum, value, f) => sum + value * mean[f]!, 0) / Math.hypot(...mean),
        ),
      );
    const own = [apples!, pears!, plums!].flatMap((rows) => rows.slice(12));
    expect(own.filter((example) => similarity(example) < minSimilarity).length).toBeLessThan(4);
    expect(others!.every((example) => similarity(example) < minSimilarity)).toBe(true);
  });

  it('gives the same for the same photos', async () => {
    const examples = makeExamples([9, 7, 8], 1.5);
    expect(await teach(examples, labels)).toEqual(await teach(examples, labels));
  });

  it('names the first copies alone, however many there are', async () => {
    const [one, ...others] = makeExamples([60, 6], 1);
    const same = Array.from({ length: 60 }, (_, index) => ({ ...one!, name: `same ${index}` }));
    const { copies } = (
      await teach([...same, ...others.filter(({ label }) => label === 1)], ['same', 'other'])
    ).report;
    expect(copies).toHaveLength(50);
  });

  it('asks for its pace before each stretch of work, and gives the same with it', async () => {
    const examples = makeExamples([20, 20, 20], 1.5);
    let longest = 0;
    let pauses = 0;
    const pace = (products: number) => {
      longest = Math.max(longest, products);
      pauses++;
      return pauses % 50 === 0 ? Promise.resolve() : undefined;
    };
    expect(await teach(examples, labels, { pace })).toEqual(await teach(examples, labels));
    expect(pauses).toBeGreaterThan(300);
    expect(longest).toBeLessThan(200_000);
  });

  it('refuses a class without photos, and one class alone', async () => {
    await expect(teach(makeExamples([3, 3], 1), labels)).rejects.toThrow('The class "plum" has no photo.');
    await expect(teach(makeExamples([3], 1), ['apple'])).rejects.toThrow(RangeError);
  });
});

describe('calibration', () => {
  it('finds the temperature that made the answers', async () => {
    const random = createRandom(11).uniform;
    const judged = Array.from({ length: 4000 }, () => {
      const sums = Float64Array.from({ length: 3 }, () => random());
      const scores = toProbabilities(sums, 0.2);
      const drawn = random();
      const label = drawn < scores[0]! ? 0 : drawn < scores[0]! + scores[1]! ? 1 : 2;
      return { sums, label };
    });
    const temperature = await fitTemperature(judged, judged.length);
    expect(temperature).toBeCloseTo(0.2, 1);
    expect(calibrationError(judged, temperature)).toBeLessThan(0.03);
    expect(calibrationError(judged, temperature / 8)).toBeGreaterThan(0.15);
  });
});

describe('folds', () => {
  it('keep groups together and spread classes', async () => {
    const classes = Array.from({ length: 40 }, (_, index) => index % 2);
    const groups = classes.map((_, index) => index - (index % 4 > 1 ? 2 : 0));
    const folds = assignFolds(classes, groups);
    for (const [index, group] of groups.entries()) expect(folds[index]).toBe(folds[group]);
    for (const label of [0, 1]) {
      const counts = [0, 1, 2, 3, 4].map(
        (fold) => folds.filter((value, index) => value === fold && classes[index] === label).length,
      );
      expect(counts).toEqual([4, 4, 4, 4, 4]);
    }
  });
});
