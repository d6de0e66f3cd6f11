import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { price } from '../prices.ts';
import { toCosts } from './cost.ts';
import { type Panel, plotBars } from './plot-bars.ts';
import type { BenchRecord, BenchResult, Comparison } from './record.ts';

/** A file in docs/benchmarks. */
export interface PageFile {
  readonly name: string;
  readonly content: string;
}

/** What a benchmark is called on its page, by the end of its command. */
const titles: Readonly<Record<string, string>> = {
  image: 'From a file to the model’s 224 x 224 pixels',
  formats: 'CPU time of each format',
  inference: 'One image through the network, one thread',
  cold: 'The first answer of a fresh isolate',
  batch: 'The Node tier beside onnxruntime-node alone',
  answers: 'A remembered answer',
};

const begin = '<!-- Made by npm run bench, from docs/benchmarks/figures.json -->';
const end = '<!-- The end of what npm run bench makes -->';

/**
 * Writes docs/benchmarks: the figures, a plot for each benchmark, and the tables of docs/benchmarks.md between two marks.
 *
 * @param docs the folder of documents.
 */
export async function writePages(record: BenchRecord, docs: string): Promise<void> {
  const folder = join(docs, 'benchmarks');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'figures.json'), `${JSON.stringify(record, undefined, 2)}\n`);
  for (const { name, content } of toPlots(record)) await writeFile(join(folder, name), content);
  const path = join(docs, 'benchmarks.md');
  await writeFile(path, replaceTables(await readFile(path, 'utf8'), record));
}

/** @throws {Error} if the page lacks the marks. */
export function replaceTables(page: string, record: BenchRecord): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error('docs/benchmarks.md lacks the marks of what npm run bench makes.');
  return `${page.slice(0, from)}${begin}\n\n${toTables(record)}\n${page.slice(to)}`;
}

/** The plots, one for each benchmark that compares, and one of what a million images cost. */
export function toPlots(record: BenchRecord): PageFile[] {
  const measured = record.results.filter(({ comparisons }) => comparisons.length > 0);
  return [
    ...measured.map((result) => {
      const shown = result.comparisons.filter(isPlotted);
      return {
        name: `${toName(result)}.svg`,
        content: plotBars({
          title: toTitle(result),
          description: shown.map(toSentence).join(' '),
          panels: shown.map(toPanel),
          caption: toCaption(record, [result]),
        }),
      };
    }),
    { name: 'cost.svg', content: plotCost(record) },
  ];
}

function toTables(record: BenchRecord): string {
  const measured = record.results.filter(({ comparisons }) => comparisons.length > 0);
  const sections = measured.map(
    (result) =>
      `## ${toTitle(result)}\n\n![${toTitle(result)}, as bars](benchmarks/${toName(result)}.svg)\n\n${toTable(result)}\n`,
  );
  return `${toCaption(record, measured)}\n\n${sections.join('\n')}\n${toCostSection(record)}`;
}

/** Ratios first: they survive another machine. */
function toTable({ command, comparisons }: BenchResult): string {
  const head = [`\`${command}\``, 'of', 'ratio', 'measured'];
  const rows = comparisons.flatMap((comparison) =>
    comparison.rows.map(({ name, value }) => [
      `${comparison.title}: ${name}`,
      comparison.base,
      toRatio(value / toBase(comparison)),
      toMeasured(value, comparison.unit),
    ]),
  );
  return toMarkdown([head, ...rows]);
}

function toCostSection(record: BenchRecord): string {
  const rows = toCosts(record).map(({ photo, network, kernels, decodeMs, networkMs, dollars, ratio }) => [
    `JPEG of ${photo}, ${network}, ${kernels} SIMD`,
    toRatio(ratio),
    `$${dollars.toFixed(2)}`,
    `0.30 + (${decodeMs.toFixed(1)} + ${networkMs.toFixed(1)}) x 0.02`,
  ]);
  return `## What a million images cost

![What a million images cost, as bars](benchmarks/cost.svg)

Dollars per million = ${formula}. CPU is what the operating system counted for the decoder and for the network in the runs above; HTTP, JSON and the log add a few milliseconds that are not in it. Workers AI asks $${(price.workersAiImage * 1e6).toFixed(2)} for a million images by \`@cf/microsoft/resnet-50\` (November 2026). The plan's $5 a month, R2 and the cache are the same for both.

${toMarkdown([['', "of Workers AI's price", 'dollars', 'request + CPU'], ...rows])}
`;
}

const formula = '$0.30 for requests + milliseconds of CPU an image x $0.02';

function plotCost(record: BenchRecord): string {
  const workersAi = price.workersAiImage * 1e6;
  const bars = toCosts(record).map(({ photo, network, kernels, dollars, ratio }) => ({
    label: `${network}, JPEG of ${photo}, ${kernels} SIMD`,
    value: dollars,
    text: `${toRatio(ratio)} x, $${dollars.toFixed(2)}`,
    isOurs: true,
  }));
  const peer = {
    label: 'Workers AI, resnet-50, any photo',
    value: workersAi,
    text: `1.00 x, $${workersAi.toFixed(2)}`,
    isOurs: false,
  };
  return plotBars({
    title: 'What a million images cost, beside Workers AI',
    description: toCostSentence(record),
    panels: [{ title: `Dollars a million = ${formula}`, bars: [peer, ...bars] }],
    caption: toCaption(
      record,
      record.results.filter(({ command }) => /bench:(image|inference)$/.test(command)),
    ),
  });
}

function toCostSentence(record: BenchRecord): string {
  const sentences = toCosts(record).map(
    ({ photo, network, kernels, dollars }) =>
      `${network} on a JPEG of ${photo} with ${kernels} SIMD costs $${dollars.toFixed(2)}`,
  );
  return `A million images: Workers AI asks $${(price.workersAiImage * 1e6).toFixed(2)}. Here ${sentences.join('; ')}.`;
}

function toPanel(comparison: Comparison): Panel {
  const base = toBase(comparison);
  return {
    title: `${comparison.title}: ${comparison.unit === 'images/s' ? 'speed' : 'time'} as a multiple of “${comparison.base}”`,
    bars: comparison.rows
      .toSorted((a, b) => a.value - b.value)
      .map(({ name, value, isOurs }) => ({
        label: name,
        value,
        text: `${toRatio(value / base)} x, ${toMeasured(value, comparison.unit)}`,
        isOurs,
      })),
  };
}

function toSentence(comparison: Comparison): string {
  const base = toBase(comparison);
  const others = comparison.rows
    .filter(({ name }) => name !== comparison.base)
    .map(({ name, value }) => `${name} ${toRatio(value / base)}`);
  return `${comparison.title}, in multiples of ${comparison.base}: ${others.join(', ')}.`;
}

/** @throws {Error} if the base is none of its contestants. */
function toBase({ title, base, rows }: Comparison): number {
  const found = rows.find(({ name }) => name === base);
  if (found) return found.value;
  throw new Error(`${title}: there is no contestant "${base}".`);
}

/** @param results what it is about. */
function toCaption({ machine, versions }: BenchRecord, results: readonly BenchResult[]): string {
  const { cpu, cores, memory_bytes: memory } = machine;
  const peers = [
    'onnxruntime-web',
    'onnxruntime-node',
    'sharp',
    '@tensorflow/tfjs-backend-wasm',
    'image-js',
    'fast-png',
  ];
  const named = peers.flatMap((name) => (versions[name] ? [`${name} ${versions[name]}`] : []));
  const load = results.flatMap((result) => result.load);
  const busy = `${Math.min(...load).toFixed(1)} to ${Math.max(...load).toFixed(1)}`;
  // Only the Node tier uses several cores. What came before it tells: its own load is no disturbance.
  const isCrowded = results.some(
    ({ command, load: [before] }) => command === 'npm run bench:batch' && before > cores,
  );
  const dates = [...new Set(results.map(({ date }) => date.slice(0, 10)))].join(', ');
  const commands = results.map(({ command }) => command).join(', ');
  return `${commands} on ${dates}. ${cpu}, ${cores} cores, ${Math.round(memory / 2 ** 30)} GiB; Node ${versions['node']}, ${named.join(', ')}. Load of the machine: ${busy} on ${cores} cores. Contestants took turns: ratios count, times are of this machine and of what else ran on it.${isCrowded ? ' Others wanted more cores than there are: ratios of what uses several cores at once (the Node tier) say nothing here.' : ''}`;
}

/** Photos of other sizes than a phone's 12 megapixels stand in the table alone. */
const isPlotted = ({ title }: Comparison) => !/ (1|48) MP$/.test(title);

const toName = ({ command }: BenchResult) => command.replace(/^npm run bench:/, '');
const toTitle = (result: BenchResult) => titles[toName(result)] ?? toName(result);
const toRatio = (ratio: number) => (ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1));
const toMeasured = (value: number, unit: Comparison['unit']) =>
  `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;

function toMarkdown([head = [], ...rows]: readonly (readonly string[])[]): string {
  const toLine = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [toLine(head), toLine(head.map(() => '---')), ...rows.map(toLine)].join('\n');
}
