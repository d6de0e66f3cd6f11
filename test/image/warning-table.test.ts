import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { imageWarningCodes } from '../../src/warnings.ts';

it("the README's table of warnings lists every code, and no other", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const table = /\| warning \| meaning \|\n(?:\|.*\n)+/.exec(readme)?.[0] ?? '';
  const documented = Array.from(table.matchAll(/^\| `([a-z0-9_]+)` \|/gm), ([, code]) => code);
  expect(documented).toEqual(imageWarningCodes);
});
