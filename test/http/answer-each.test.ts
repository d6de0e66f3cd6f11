import type { Context } from 'hono';
import { expect, it } from 'vitest';
import { answerEach } from '../../src/http/answer-each.ts';
import type { HonoEnv } from '../../src/http/context.ts';

it('no image is begun after the deadline: each of the others says so', async () => {
  const variables: Record<string, unknown> = {
    deadline: Date.now() + 60_000,
    isCancelled: () => false,
    options: { log: () => undefined },
  };
  const c = { get: (name: string) => variables[name] } as unknown as Context<HonoEnv>;
  const begun: number[] = [];
  const images = [1, 2, 3].map((size) => ({ name: `${size}`, bytes: new Uint8Array(size) }));
  const results = await answerEach(c, images, async (bytes) => {
    begun.push(bytes.length);
    // The first takes all the time there is.
    variables['deadline'] = Date.now();
    return { size: bytes.length };
  });
  expect(begun).toEqual([1]);
  expect(results).toMatchObject([
    { index: 0, size: 1 },
    { index: 1, problem: { code: 'overloaded' } },
    { index: 2, problem: { code: 'overloaded' } },
  ]);
});
