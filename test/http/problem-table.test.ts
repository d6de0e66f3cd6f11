import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { problemKinds } from '../../src/problem.ts';

const document = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8');

describe('the table of errors in docs/api.md', () => {
  it('lists every code with its status, and no other', () => {
    const documented = Array.from(
      document.matchAll(/^\| `([a-z0-9_]+)` \| (\d{3}) \|/gm),
      ([, code, status]) => [code, Number(status)],
    );
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(Object.entries(problemKinds).map(([code, { status }]) => [code, status])),
    );
  });
});
