import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import { toCosts } from '../bench/pages/cost.ts';
import { plotBars } from '../bench/pages/plot-bars.ts';
import { type BenchRecord, benches } from '../bench/pages/record.ts';
import { replaceTables, toPlots } from '../bench/pages/write-pages.ts';

const docs = join(projectRoot, 'docs');
const record = JSON.parse(await readFile(join(docs, 'benchmarks/figures.json'), 'utf8')) as BenchRecord;

describe('docs/benchmarks is what the committed figures make', () => {
  it('the tables', async () => {
    const page = await readFile(join(docs, 'benchmarks.md'), 'utf8');
    expect(replaceTables(page, record)).toBe(page);
  });
  it.each(toPlots(record))('$name', async ({ name, content }) => {
    expect(await readFile(join(docs, 'benchmarks', name), 'utf8')).toBe(content);
  });
  it('and nothing else', async () => {
    const made = [...toPlots(record).map(({ name }) => name), 'figures.json'];
    expect((await readdir(join(docs, 'benchmarks'))).sort()).toEqual(made.sort());
  });
  it('of a run of every benchmark', () => {
    const commands = benches.map((name) => `npm run bench:${name}`);
    expect(record.results.map(({ command }) => command)).toEqual(commands);
    expect(record.results.filter(({ status }) => status !== 0)).toEqual([]);
  });
});

describe('the price of a million images', () => {
  it('is 0.30 for requests and 0.02 for each millisecond of CPU', () => {
    const run = { date: '2026-11-28T00:00:00.000Z', load: [0, 0], status: 0, seconds: 1 } as const;
    const [first] = toCosts({
      ...record,
      results: [
        {
          command: 'npm run bench:image',
          ...run,
          comparisons: [
            {
              title: 'JPEG baseline 4:2:0, 12 MP',
              unit: 'ms',
              base: 'this package',
              rows: [{ name: 'this package', value: 99, cpuMs: 40, isOurs: true }],
            },
          ],
        },
        {
          command: 'npm run bench:inference',
          ...run,
          comparisons: [
            {
              title: 'ResNet-18',
              unit: 'ms',
              base: 'x',
              rows: [{ name: 'resnet-edge, int8 engine, plain', value: 99, cpuMs: 20, isOurs: true }],
            },
          ],
        },
      ],
    });
    expect(first!.dollars).toBeCloseTo(0.3 + 60 * 0.02, 9);
    expect(first!.ratio).toBeCloseTo(1.5 / 2.51, 9);
  });
});

describe('a plot', () => {
  const plot = plotBars({
    title: 'Bytes < bits & "pieces"',
    description: 'One is twice the other.',
    panels: [
      {
        title: 'Panel',
        bars: [
          { label: 'ours', value: 1, text: '1.00 x', isOurs: true },
          { label: 'theirs', value: 2, text: '2.00 x', isOurs: false },
          { label: 'tiny', value: 0, text: '0.00 x', isOurs: false },
        ],
      },
    ],
    caption: 'word '.repeat(60).trim(),
  });
  it('says what it shows to those who cannot see it', () => {
    expect(plot).toContain('role="img" aria-labelledby="title description"');
    expect(plot).toContain('<title id="title">Bytes &lt; bits &amp; &quot;pieces&quot;</title>');
    expect(plot).toContain('<desc id="description">One is twice the other.</desc>');
  });
  it('has bars of one scale, and shows the smallest', () => {
    const widths = Array.from(plot.matchAll(/<rect class="(?:ours|other)".*? width="(\d+)"/g), ([, px]) =>
      Number(px),
    );
    expect(widths[0]! * 2).toBe(widths[1]);
    expect(widths[2]).toBe(1);
  });
  it('is readable on a dark page, and breaks a long caption', () => {
    expect(plot).toContain('@media (prefers-color-scheme: dark)');
    expect(plot.match(/class="quiet"/g)!.length).toBeGreaterThan(1);
  });
});
