import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { problemKinds } from '../../src/problem.ts';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');

describe("the README's table of errors", () => {
  it('lists every code with its status, and no other', () => {
    const documented = Array.from(
      readme.matchAll(/^\| `([a-z0-9_]+)` \| (\d{3}) \|/gm),
      ([, code, status]) => [code, Number(status)],
    );
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(Object.entries(problemKinds).map(([code, { status }]) => [code, status])),
    );
  });
});
