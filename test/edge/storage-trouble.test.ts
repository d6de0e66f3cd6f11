import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EdgeServer, migrate, startEdge } from './edge-server.ts';

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({ migrated: false });
});
afterAll(() => edge?.stop());

const post = (path: string, body: object) =>
  edge.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

it('a database without its tables is trouble that passes: 503 and when to ask again, then the answer', async () => {
  const ask = () =>
    Promise.all([
      post('/v1/batches', { inputs: [{ image: btoa('no picture') }] }),
      edge.fetch('/v1/batches/AAAAAAAAAAAAAAAAAAAAAAAA'),
      post('/v1/classifiers', { name: 'fruit' }),
    ]);
  for (const response of await ask()) {
    expect(response.status, response.url).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.json()).toMatchObject({ code: 'storage_unavailable' });
  }
  await migrate(edge.env);
  const statuses = (await ask()).map(({ status }) => status);
  expect(statuses).toEqual([202, 404, 201]);
});
