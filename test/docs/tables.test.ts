import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import { metricFamilies } from '../../src/lib/observe/metrics.ts';
import { imageWarningCodes } from '../../src/warnings.ts';

const read = (file: string) => readFile(join(projectRoot, file), 'utf8');
const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: projectRoot,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '');

/** Names in code marks of a document, of one kind. */
const named = (text: string, pattern: RegExp) => new Set(text.match(pattern) ?? []);

describe('documents say what the code says', () => {
  it('docs/operate.md lists every metric and no other', async () => {
    const listed = named(await read('docs/operate.md'), /(?<=`)resnet_edge_\w+(?=`)/g);
    expect([...listed].sort()).toEqual(Object.keys(metricFamilies).sort());
  });
  it('docs/images.md lists every warning and no other', async () => {
    const listed = Array.from(
      (await read('docs/images.md')).matchAll(/^\| `(\w+)` \|/gm),
      ([, code]) => code,
    );
    expect(listed.sort()).toEqual([...imageWarningCodes].sort());
  });
  it('docs/scale.md has the tables of npm run scale', async () => {
    const printed = execFileSync(process.execPath, ['test/bench/scale.ts'], {
      cwd: projectRoot,
      encoding: 'utf8',
    });
    const rows = printed.split('\n').filter((line) => line.startsWith('|'));
    const page = await read('docs/scale.md');
    expect(rows.length).toBeGreaterThan(8);
    expect(rows.filter((row) => !page.includes(row))).toEqual([]);
  });
  it('every variable that wrangler.toml sets stands in a document', async () => {
    const variables = named(await read('wrangler.toml'), /^[A-Z][A-Z0-9_]+(?= = )/gm);
    const operate = await read('docs/operate.md');
    expect(variables.size).toBeGreaterThan(5);
    expect([...variables].filter((name) => !operate.includes(`\`${name}\``))).toEqual([]);
  });
});

describe.each(documents)('%s', (file) => {
  it('links to files that exist', async () => {
    const links = Array.from(
      (await read(file)).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g),
      ([, link]) => link!,
    );
    const local = links.filter((link) => !/^[a-z]+:/i.test(link));
    expect(local.filter((link) => !existsSync(join(projectRoot, dirname(file), link)))).toEqual([]);
  });
  it('names npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    const asked = Array.from(
      (await read(file)).matchAll(/npm run (?:--silent )?([a-z][a-z0-9:-]*)/g),
      ([, name]) => name!,
    );
    expect(asked.filter((name) => !(name in scripts))).toEqual([]);
  });
});
