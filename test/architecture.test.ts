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

describe('imports run one way (.dependency-cruiser.json)', () => {
  it('in the whole project', async () => {
    const { violations, totalCruised } = await checkImports(projectRoot);
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
    // A parser that reads no TypeScript finds no violation either.
    expect(totalCruised).toBeGreaterThan(80);
  });
});
