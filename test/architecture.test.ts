import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../src/cli/paths.ts';

const { forbidden, options } = JSON.parse(await readFile(`${projectRoot}/.dependency-cruiser.json`, 'utf8'));

async function checkImports(baseDir: string): Promise<ICruiseResult['summary']> {
  const config: ICruiseOptions = { ...options, ruleSet: { forbidden }, validate: true, baseDir };
  const { output } = await cruise(['src', 'functions', 'test'], config);
  return (output as ICruiseResult).summary;
}

interface RuleSide {
  readonly path?: string;
  readonly pathNot?: string;
}

/** `a(b|c)d|e` to `abd`, `acd`, `e`. Each of them has to name something. */
function expandAlternatives(pattern: string): string[] {
  const group = /\((?!\?)([^()]*)\)/.exec(pattern);
  if (!group) return pattern.split('|');
  const [whole, inside = ''] = group;
  const before = pattern.slice(0, group.index);
  const after = pattern.slice(group.index + whole.length);
  return inside.split('|').flatMap((one) => expandAlternatives(before + one.replaceAll('|', '') + after));
}

describe('imports run one way (.dependency-cruiser.json)', () => {
  it('in the whole project', async () => {
    const { violations, totalCruised } = await checkImports(projectRoot);
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
    // A parser that reads no TypeScript finds no violation either.
    expect(totalCruised).toBeGreaterThan(80);
  });
  it('by rules that name only files that exist', async () => {
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: projectRoot,
      encoding: 'utf8',
    }).split('\n');
    const patterns = forbidden.flatMap(({ from, to }: { from: RuleSide; to: RuleSide }) =>
      [from.path, from.pathNot, to.path, to.pathNot].filter((pattern) => pattern?.includes('src')),
    ) as string[];
    const alternatives = patterns
      .flatMap(expandAlternatives)
      .filter((path) => /^\^(src|functions)/.test(path));
    expect(alternatives.length).toBeGreaterThan(80);
    expect(alternatives.filter((path) => !files.some((file) => new RegExp(path).test(file)))).toEqual([]);
  });
});
